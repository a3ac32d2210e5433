import { assertEquals } from "../support/assert.ts";
import type { Told } from "./rover.ts";
import { breachesIn } from "./rover_invariants.ts";

const FACTS = { shared: [1, 2, 3, 4], given: new Map([[7, 1000]]), freshForMs: 500 };

const welcome: Told = { kind: "welcome", epoch: "e1", recovered: true, at: 1 };
const gap: Told = { kind: "gap", gap: { since: 0, epoch: "e1", isNewEpoch: false }, at: 5 };
const event = (number: number, seq: number): Told => ({ kind: "event", number, seq });
const fresh = (n: number, at: number): Told => ({ kind: "fresh", n, at });

Deno.test("breachesIn() finds nothing where all is well, gaps that were told included", () => {
  const well: Told[][] = [
    [welcome, event(1, 10), event(2, 12), event(3, 13), event(4, 14), fresh(7, 1400)],
    [welcome, event(3, 13), event(4, 14)],
    [welcome, event(1, 10), gap, event(4, 14)],
    [welcome, event(1, 10), welcome, event(2, 11), { ...welcome, epoch: "e2" }, event(3, 2)]
      .concat(event(4, 3)),
    [welcome],
  ];
  for (const told of well) assertEquals(breachesIn(told, FACTS), []);
});

Deno.test("C44: breachesIn() wants what a hub took while alone told to all who were there, or a gap", () => {
  const facts = { ...FACTS, shared: [], alone: [{ number: 9, at: 3 }] };
  const late: Told = { ...gap, at: 2 };
  for (const told of [[welcome, event(9, 1)], [welcome, gap], [{ ...welcome, at: 4 }]]) {
    assertEquals(breachesIn(told, facts), []);
  }
  assertEquals(breachesIn([welcome, event(9, 1), gap, event(9, 5)], facts), []);
  assertEquals(breachesIn([welcome, late], facts).length, 1);
  assertEquals(breachesIn([welcome, event(9, 1), event(9, 5)], facts).length, 1);
});

Deno.test("breachesIn() finds each kind of breach", () => {
  const bad: [RegExp, Told[]][] = [
    [/came twice/, [welcome, event(1, 10), gap, event(1, 11), event(2, 12), gap]],
    [/after 10 in epoch e1/, [welcome, event(1, 10), event(2, 9), event(3, 11), gap]],
    [/after 10 in epoch e1/, [welcome, event(1, 10), welcome, event(2, 10), gap]],
    [/2 is missing/, [welcome, event(1, 10), event(3, 12), gap]],
    [/4 and later/, [welcome, event(3, 12)]],
    [/never given/, [fresh(8, 1000)]],
    [/600 ms/, [fresh(7, 1600)]],
  ];
  for (const [breach, told] of bad) {
    const found = breachesIn(told, FACTS);
    assertEquals([found.length, breach.test(String(found))], [1, true], `${breach}: ${found}`);
  }
});
