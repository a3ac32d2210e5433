import { assertEquals } from "../../support/assert.ts";
import type { HookPlan } from "../../../src/incidents/hooks/hook_plan.ts";
import { HookSchedule } from "../../../src/incidents/hooks/hook_schedule.ts";
import { down, planOf } from "./support.ts";

const START = 1_764_000_000_000;
const events = (due: readonly { event: string }[]) => due.map(({ event }) => event);
const scheduleOf = (plan: Partial<HookPlan>) => new HookSchedule(planOf(plan));

Deno.test("HookSchedule tells a beginning and its end at once", () => {
  const schedule = scheduleOf({});
  assertEquals(events(schedule.began(down(), START)), ["down"]);
  assertEquals(schedule.nextMs(), Infinity);
  assertEquals(events(schedule.ended(down({ endedMs: START + 5 }), START + 5)), ["up"]);
});

Deno.test("HookSchedule tells only what lasts `after`, and then its end too", () => {
  const schedule = scheduleOf({ afterMs: 1000 });
  assertEquals(schedule.began(down(), START), []);
  assertEquals(schedule.nextMs(), START + 1000);
  assertEquals(schedule.ended(down(), START + 999), []);
  const stale = down({ id: "i-2", kind: "source_stale", channel: "queue" });
  schedule.began(stale, START);
  assertEquals(events(schedule.due(START + 1000)), ["stale"]);
  assertEquals(events(schedule.ended(stale, START + 2000)), ["fresh"]);
  // What lasted long enough is told even where nobody looked in between.
  schedule.began(down({ id: "i-3" }), START);
  assertEquals(events(schedule.ended(down({ id: "i-3" }), START + 1500)), ["down", "up"]);
});

Deno.test("HookSchedule counts `after` anew where an incident came back", () => {
  const schedule = scheduleOf({ afterMs: 1000 });
  const again = down({ times: 2, resumedMs: START + 30_000 });
  assertEquals(schedule.began(again, START + 30_000), []);
  assertEquals(events(schedule.due(START + 31_000)), ["down"]);
});

Deno.test("HookSchedule reminds while it lasts", () => {
  const schedule = scheduleOf({ afterMs: 1000, remindMs: 5000 });
  schedule.began(down(), START);
  const told: number[] = [];
  for (let now = START; now <= START + 12_000; now += 500) {
    if (schedule.due(now).length > 0) told.push(now - START);
  }
  assertEquals(told, [1000, 6000, 11_000]);
});

Deno.test("HookSchedule leaves out what a hook did not ask for", () => {
  assertEquals(scheduleOf({ backends: ["store*"] }).began(down(), START), []);
  assertEquals(events(scheduleOf({ backends: ["co*"] }).began(down(), START)), ["down"]);
  const ends = scheduleOf({ on: ["up"] });
  assertEquals(ends.began(down(), START), []);
  assertEquals(events(ends.ended(down(), START + 1)), ["up"]);
  const stale = down({ kind: "publisher_silent", channel: "queue" });
  assertEquals(scheduleOf({ channels: ["disk"] }).began(stale, START), []);
  assertEquals(scheduleOf({}).began(down({ kind: "hub_down" }), START), []);
});

Deno.test("HookSchedule goes on after a restart: nothing twice, nothing left out", () => {
  const done: string[] = [];
  const schedule = new HookSchedule(planOf({ afterMs: 1000 }), {
    onDone: (incident) => done.push(incident),
  });
  const [told, untold] = [down(), down({ id: "i-2", backend: "store" })];
  schedule.restore([told, untold], [
    { incident: "i-1", toldMs: START + 1000 },
    { incident: "i-0", toldMs: START },
  ]);
  assertEquals(done, ["i-0"]); // it ended, and nobody told: it is not there any more
  assertEquals(schedule.due(START + 5000).map(({ incident }) => incident.id), ["i-2"]);
  assertEquals(events(schedule.ended(told, START + 6000)), ["up"]);
});
