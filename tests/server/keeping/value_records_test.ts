import { restoreValues, valueListener } from "../../../src/server/keeping/value_records.ts";
import type { Change } from "../../../src/state/change.ts";
import { MAX_TAIL_BODY } from "../../../src/state/tail.ts";
import { momentOf } from "../../../src/resilience/clock.ts";
import { ValueStore } from "../../../src/values/value_store.ts";
import { assertEquals } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { text } from "../../support/hub_bench.ts";
import { openState, StateDir } from "../../state/support.ts";

Deno.test("valueListener() keeps a text once, however often it is asked for, and its age each time", async () => {
  const clock = new FakeClock();
  const values = new ValueStore({ clock });
  const written: Change[][] = [];
  values.subscribe(valueListener(values, (changes) => written.push(changes)));
  const put = (value: unknown) =>
    values.put("queue", { text: text(value), calledAt: momentOf(clock), origin: "poll" });
  put({ n: 1 });
  await clock.advance(1000);
  put({ n: 1 });
  await clock.advance(1000);
  put({ n: 2 });
  const kinds = written.map((changes) => changes.map(({ kind }) => kind).join("+"));
  assertEquals(kinds, ["value+age", "age", "value+age"]);
});

Deno.test("restoreValues() gives back the newest text with its newest age, and forgets channels that are gone", async () => {
  await using dir = await StateDir.make();
  const clock = new FakeClock();
  {
    await using state = await openState(dir.path);
    const values = new ValueStore({ clock });
    values.subscribe(valueListener(values, (changes) => state.write(changes)));
    for (const channel of ["queue", "gone"]) {
      values.put(channel, { text: text({ n: 1 }), calledAt: momentOf(clock), origin: "poll" });
    }
    await clock.advance(10_000);
    values.put("queue", { text: text({ n: 1 }), calledAt: momentOf(clock), origin: "poll" });
  }
  await clock.advance(5000);
  await using state = await openState(dir.path);
  const values = new ValueStore({ clock });
  restoreValues(values, state, (channel) => channel === "queue");
  assertEquals([values.read("queue")?.age_ms, values.read("queue")?.data], [5000, text({ n: 1 })]);
  assertEquals(values.read("gone"), undefined);
});

Deno.test("restoreValues() gives back the value before one too long to be written down at once, as old as it is", async () => {
  await using dir = await StateDir.make();
  const clock = new FakeClock();
  await using state = await openState(dir.path, { clock });
  const values = new ValueStore({ clock });
  values.subscribe(valueListener(values, (changes) => state.write(changes)));
  const put = (value: unknown, calledAt = momentOf(clock)) =>
    values.put("queue", { text: text(value), calledAt, origin: "poll" });
  const longAgo = momentOf(clock);
  await clock.advance(10_000);
  put({ n: 1 }, longAgo);
  await eventually("the store has it", () => state.waiting === 0);
  // The next batch is brought in once this clock goes on.
  put({ n: 2, padding: "x".repeat(MAX_TAIL_BODY) });
  await using copy = await dir.copy(); // what a kill would leave
  await clock.advance(5000);
  await using after = await openState(copy.path);
  const restored = new ValueStore({ clock });
  restoreValues(restored, after, () => true);
  const { data, age_ms } = restored.read("queue") ?? {};
  assertEquals([data, age_ms], [text({ n: 1 }), 15_000]);
});
