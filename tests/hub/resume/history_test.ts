import { History } from "../../../src/hub/resume/history.ts";
import { encodeFrame } from "../../../src/protocol/codec.ts";
import { assertEquals } from "../../support/assert.ts";
import { text } from "../../support/hub_bench.ts";

function frame(type: string, seq: number) {
  return encodeFrame(type, text({}), 0, seq);
}

const ALL = () => true;

/** The numbers missed, or "gap". */
function missed(
  history: History,
  since: number | { events: number; errors: number },
  options: { wants?: (type: string) => boolean; now?: number } = {},
): number[] | "gap" {
  const { wants = ALL, now = 0 } = options;
  const progress = typeof since === "number" ? { events: since, errors: since } : since;
  const result = history.missedSince(progress, wants, now);
  return result.complete ? result.frames.map(({ seq }) => seq ?? 0) : "gap";
}

Deno.test("History.missedSince() tells what came later, in order, of the types that are wanted", () => {
  const history = new History({ maxFrames: 10, maxAgeMs: 1000 });
  for (const [type, seq] of [["notification", 2], ["rpc_error", 3], ["notification", 7]] as const) {
    history.add(frame(type, seq), 0);
  }
  assertEquals(missed(history, 0), [2, 3, 7]);
  assertEquals(missed(history, 2), [3, 7]);
  assertEquals(missed(history, 7), []);
  assertEquals(missed(history, 0, { wants: (type) => type === "notification" }), [2, 7]);
  assertEquals(missed(history, { events: 2, errors: 3 }), [7], "errors had overtaken events");
  assertEquals(missed(history, { events: 7, errors: 2 }), [3]);
});

Deno.test("History keeps so many frames and tells of a gap to who misses an older one", () => {
  const history = new History({ maxFrames: 3, maxAgeMs: 1000 });
  for (let seq = 1; seq <= 1000; seq++) history.add(frame("notification", seq), 0);
  assertEquals(history.size, 3);
  assertEquals(missed(history, 997), [998, 999, 1000]);
  assertEquals(missed(history, 996), "gap");
  assertEquals(missed(history, 0, { wants: (type) => type === "error" }), [], "none of its types");
});

Deno.test("History keeps frames so long and tells of a gap to who misses an older one", () => {
  const history = new History({ maxFrames: 100, maxAgeMs: 1000 });
  history.add(frame("notification", 1), 0);
  history.add(frame("rpc_error", 2), 600);
  assertEquals(missed(history, 0, { now: 1000 }), [1, 2]);
  assertEquals(missed(history, 0, { now: 1001 }), "gap");
  assertEquals(missed(history, 1, { now: 1001 }), [2]);
  assertEquals(missed(history, 1, { now: 1601 }), "gap");
  assertEquals(missed(history, 2, { now: 1601 }), []);
  assertEquals(history.size, 0);
});

Deno.test("History of no frames at all knows who has missed something", () => {
  const history = new History({ maxFrames: 0, maxAgeMs: 1000 });
  assertEquals(missed(history, 0), []);
  history.add(frame("notification", 1), 0);
  assertEquals([history.size, missed(history, 0), missed(history, 1)], [0, "gap", []]);
});
