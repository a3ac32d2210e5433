import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { eventually } from "../support/eventually.ts";
import { State } from "../../src/state/state.ts";
import { StoreFolder } from "../../src/state/store_folder.ts";
import { keptOf, openState, optionsOf, put, readOnlyDisk, StateDir } from "./support.ts";

Deno.test("State gives back after an end in order what was written", async () => {
  await using dir = await StateDir.make();
  {
    await using state = await openState(dir.path);
    state.write([put("value", "x", 1), put("position", "hub", { seq: 1 })]);
    state.write([put("value", "x", 2), { kind: "value", key: "gone", body: null }]);
  }
  await using again = await openState(dir.path, { bootId: "another boot" });
  assertEquals([again.past.end, again.past.broken], ["clean", undefined]);
  assertEquals(keptOf(again, "value"), { x: 2 });
  assertEquals(keptOf(again, "position"), { hub: { seq: 1 } });
});

Deno.test("State forgets nothing where the process ends at any moment", async () => {
  await using dir = await StateDir.make();
  await using state = await openState(dir.path);
  for (let n = 1; n <= 50; n++) {
    state.write([put("frame", String(n).padStart(3, "0"), n), put("position", "hub", n)]);
    if (n % 10 !== 0) continue;
    await using copy = await dir.copy(); // the system keeps what the process wrote
    await using after = await openState(copy.path);
    assertEquals(after.past.end, "crash", `at ${n}`);
    assertEquals(after.past.broken, undefined);
    assertEquals(keptOf(after, "position"), { hub: n });
    assertEquals(Object.keys(keptOf(after, "frame")).length, n);
  }
});

Deno.test("State gives no positions back after a loss of power, and what is true all the same", async () => {
  await using dir = await StateDir.make();
  await using state = await openState(dir.path);
  state.write([put("value", "x", 1), put("position", "hub", 1), put("incident", "i", 1)]);
  await eventually("the store has it", () => state.waiting === 0);
  {
    await using copy = await dir.copy();
    await using after = await openState(copy.path, { bootId: "another boot" });
    assertEquals(after.past.end, "power_loss");
    assert(after.past.broken !== undefined);
    assertEquals([keptOf(after, "position"), keptOf(after, "value")], [{}, { x: 1 }]);
  }
  await using copy = await dir.copy((name) => name.endsWith("-wal"));
  await using after = await openState(copy.path);
  assertEquals([after.past.end, keptOf(after, "position")], ["power_loss", {}]);
});

Deno.test("State of a folder that another process has names that process", async () => {
  await using dir = await StateDir.make();
  const file = new URL("holding_process.ts", import.meta.url).pathname;
  const holder = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", file, dir.path],
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read(); // it says that it has it
  assertEquals(await State.open(optionsOf(dir.path)), { takenBy: holder.pid });
  holder.kill("SIGKILL");
  await holder.status;
  await reader.cancel();
  await using state = await openState(dir.path);
  assertEquals(state.report().ok, true);
});

Deno.test("State that cannot be opened keeps nothing, says so, and begins when it can", async () => {
  await using dir = await StateDir.make();
  const path = `${dir.path}/state`;
  await Deno.writeTextFile(path, "a file where the folder should be");
  const clock = new FakeClock();
  await using state = await openState(path, { clock });
  assertEquals([state.report().ok, state.isKeeping], [false, false]);
  assert(state.report().why !== undefined);
  state.write([put("value", "x", 1)]);
  state.dumpFrom(() => [put("value", "x", 2)]);
  await Deno.remove(path);
  for (let tries = 0; !state.isKeeping && tries < 1000; tries++) {
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 5)); // its thread has no such clock
  }
  assert(state.isKeeping, state.report().why);
  assertEquals(state.report().why, undefined);
  state.write([put("value", "y", 3)]);
  await using copy = await new StateDir(path).copy();
  await using after = await openState(copy.path);
  assertEquals(keptOf(after, "value"), { x: 2, y: 3 });
});

Deno.test("State that could keep nothing for a whole life says so in the folder: a new epoch follows", async () => {
  await using dir = await StateDir.make();
  {
    await using state = await openState(dir.path);
    state.write([put("position", "hub", 1), put("value", "x", 1)]);
  }
  // Its files cannot be opened, though others can be made.
  await Deno.rename(`${dir.path}/tail-b.log`, `${dir.path}/elsewhere`);
  await Deno.mkdir(`${dir.path}/tail-b.log`);
  {
    await using state = await openState(dir.path);
    assertEquals([state.isKeeping, state.past.kept.size], [false, 0]);
  }
  await Deno.remove(`${dir.path}/tail-b.log`);
  await Deno.rename(`${dir.path}/elsewhere`, `${dir.path}/tail-b.log`);
  {
    await using state = await openState(dir.path);
    assertEquals([keptOf(state, "position"), keptOf(state, "value")], [{}, { x: 1 }]);
    assert(state.past.broken !== undefined);
    state.write([put("position", "hub", 2)]);
  }
  await using state = await openState(dir.path);
  assertEquals([keptOf(state, "position"), state.past.broken], [{ hub: 2 }, undefined]);
});

Deno.test("State takes its folder from no tail of before a new epoch, whenever the process ends", async () => {
  await using dir = await StateDir.make();
  await using state = await openState(dir.path);
  state.write([put("position", "hub", 1)]);
  await using copy = await dir.copy();
  // The machine went down; the next life ends right after the store, before the tail, has begun.
  using folder = new StoreFolder({ dir: copy.path, bootId: "boot-2", limits: [] });
  assert(folder.open(1).broken !== undefined);
  await using killed = await copy.copy();
  await using after = await openState(killed.path, { bootId: "boot-2" });
  assertEquals([after.past.end, keptOf(after, "position")], ["crash", {}]);
  assert(after.past.broken !== undefined);
});

Deno.test("State of a copy without its tail, put back after other lives, gives no positions back", async () => {
  await using dir = await StateDir.make();
  {
    await using state = await openState(dir.path);
    state.write([put("position", "hub", 1), put("value", "x", 1)]);
  }
  await using copy = await dir.copy((name) => name.startsWith("tail-"));
  await using after = await openState(copy.path);
  assertEquals([keptOf(after, "position"), keptOf(after, "value")], [{}, { x: 1 }]);
});

Deno.test("State tells that the folder is behind where it can neither be written nor marked", async () => {
  await using dir = await StateDir.make();
  const path = `${dir.path}/state`;
  await using state = await openState(path);
  let told = 0;
  state.whenBehind(() => told += 1);
  state.write([put("position", "hub", 1)]);
  await eventually("the store has it", () => state.waiting === 0);
  using disk = readOnlyDisk();
  await Deno.rename(path, `${path}-away`); // so that it cannot be marked either
  state.write([put("position", "hub", 2)]);
  assertEquals([state.isKeeping, told], [false, 0]);
  await eventually("it was told", () => told > 0);
  assertEquals([told, disk.refused >= 2], [1, true]);
});
