import { assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { Inbox } from "../../src/client/inbox.ts";
import { Readers } from "../../src/client/readers.ts";

Deno.test("Inbox gives what waits before it ends or fails", async () => {
  const inbox = new Inbox<number>({ bound: 3 });
  inbox.push(() => 1);
  inbox.fail(new Error("stopped"));
  assertEquals((await inbox.next()).value, 1);
  await assertRejects(() => inbox.next(), Error, "stopped");
  inbox.fail(undefined);
  inbox.push(() => 2);
  inbox.finish();
  assertEquals(await Array.fromAsync(inbox), [2]);
});

Deno.test("Inbox makes an item when it is taken", async () => {
  let age = 1;
  const inbox = new Inbox<number>({ bound: 1 });
  inbox.push(() => age);
  age = 2;
  assertEquals((await inbox.next()).value, 2);
});

Deno.test("Inbox refuses a bound that is none", () => {
  assertThrows(() => new Inbox({ bound: 0 }), RangeError, "'bound'");
});

Deno.test("Readers forget a reader who left", async () => {
  const readers = new Readers();
  const inbox = readers.open<number>("notification", 2);
  readers.push("notification", () => 1);
  for await (const _ of inbox) break;
  assertEquals(readers.channels, []);
  assertEquals((await inbox.next()).done, true);
});
