import { Reloads } from "../../src/service/reloads.ts";
import { assertEquals } from "../support/assert.ts";
import { settle } from "../support/fake_clock.ts";

Deno.test("C12: Reloads keeps what was asked for before the start, once", async () => {
  const reloads = new Reloads();
  let done = 0;
  for (let time = 0; time < 3; time++) reloads.ask();
  await settle();
  assertEquals(done, 0);
  reloads.begin(() => Promise.resolve(void (done += 1)));
  await settle();
  assertEquals(done, 1);
});

Deno.test("C12: Reloads answers what is asked during a reload by one more", async () => {
  const reloads = new Reloads();
  const running: (() => void)[] = [];
  reloads.begin(() => new Promise((resolve) => running.push(resolve)));
  reloads.ask();
  for (let time = 0; time < 3; time++) reloads.ask();
  await settle();
  assertEquals(running.length, 1, "never two at a time");
  running[0]?.();
  await settle();
  assertEquals(running.length, 2);
  running[1]?.();
  await settle();
  assertEquals(running.length, 2);
});

Deno.test("C12: Reloads begins none once the service stops", async () => {
  const reloads = new Reloads();
  const running: (() => void)[] = [];
  reloads.begin(() => new Promise((resolve) => running.push(resolve)));
  reloads.ask();
  reloads.ask();
  reloads.end();
  reloads.ask();
  running[0]?.();
  await settle();
  assertEquals(running.length, 1);
});
