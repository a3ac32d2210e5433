import fc from "fast-check";
import { ClockOffset } from "../../src/workers/clock_offset.ts";
import { MarkedClients } from "../../src/workers/marked_clients.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("ClockOffset makes nothing younger than it is, and older by the quickest crossing at most", () => {
  const crossing = fc.integer({ min: 0, max: 500 });
  fc.assert(fc.property(
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    fc.array(crossing, { minLength: 1, maxLength: 20 }),
    (trueOffset, crossings) => {
      const offset = new ClockOffset();
      let main = 5000;
      for (const tookMs of crossings) {
        main += 1000;
        // The thread reads its clock, and the main thread its own when the question has crossed.
        offset.learn({ thread: main - tookMs + trueOffset, main });
      }
      const told = offset.here(42) - (42 + trueOffset);
      assert(told <= 0, "younger");
      assertEquals(told, -Math.min(...crossings) + 0);
    },
  ));
});

Deno.test("ClockOffset.moment() leaves the wall clock alone, which all threads share", () => {
  const offset = new ClockOffset();
  offset.learn({ thread: 10, main: 1010 });
  assertEquals(offset.moment({ monotonicMs: 2000, unixMs: 77 }), { monotonicMs: 1000, unixMs: 77 });
});

Deno.test("MarkedClients.ordinalOf() tells clients before a mark from those after it", () => {
  const marks = new MarkedClients(3);
  marks.set(4, 10);
  marks.set(5, 25);
  assertEquals([4, 5].map((mark) => marks.ordinalOf(mark)), [10, 25]);
  assertEquals(marks.ordinalOf(2), 0, "it was set before this thread had any client");
  assertEquals(marks.ordinalOf(0), 0);
});
