import { assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { EventQueue } from "../../src/client/event_queue.ts";
import { Subscribers } from "../../src/client/subscribers.ts";

Deno.test("EventQueue gives what waits before it ends or fails", async () => {
  const inbox = new EventQueue<number>({ bound: 3 });
  inbox.push(() => 1);
  inbox.fail(new Error("stopped"));
  assertEquals((await inbox.next()).value, 1);
  await assertRejects(() => inbox.next(), Error, "stopped");
  inbox.fail(undefined);
  inbox.push(() => 2);
  inbox.finish();
  assertEquals(await Array.fromAsync(inbox), [2]);
});

Deno.test("EventQueue makes an item when it is taken", async () => {
  let age = 1;
  const inbox = new EventQueue<number>({ bound: 1 });
  inbox.push(() => age);
  age = 2;
  assertEquals((await inbox.next()).value, 2);
});

Deno.test("EventQueue refuses a bound that is none", () => {
  assertThrows(() => new EventQueue({ bound: 0 }), RangeError, "'bound'");
});

Deno.test("Subscribers forget a reader who left", async () => {
  const readers = new Subscribers();
  const inbox = readers.open<number>("notification", 2);
  readers.push("notification", () => 1);
  for await (const _ of inbox) break;
  assertEquals(readers.channels, []);
  assertEquals((await inbox.next()).done, true);
});
