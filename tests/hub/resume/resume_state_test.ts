import { DeliveryLog } from "../../../src/hub/resume/delivery_log.ts";
import type { KeptPosition, KeptSession } from "../../../src/hub/resume/resume_keeper.ts";
import { ResumeState, type ResumeStateOptions } from "../../../src/hub/resume/resume_state.ts";
import { encodeFrame } from "../../../src/protocol/codec.ts";
import { assert, assertEquals, assertFalse } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { text } from "../../support/hub_bench.ts";

function stateOf(changes: Partial<ResumeStateOptions> = {}): ResumeState {
  return new ResumeState({
    clock: new FakeClock(),
    history: { maxFrames: 10, maxAgeMs: 1000 },
    channelsOf: () => [],
    isEpochKept: undefined,
    keeper: undefined,
    past: undefined,
    mirrored: undefined,
    ...changes,
  });
}

/** Takes notes of what is kept. */
function keeperOf() {
  const positions: KeptPosition[] = [];
  const sessions = new Map<string, KeptSession | undefined>();
  return {
    positions,
    sessions,
    keep: (position: KeptPosition) => void positions.push(position),
    session: (id: string, session: KeptSession | undefined) => void sessions.set(id, session),
  };
}

const SLOW = {
  progress: new DeliveryLog({ events: 3, errors: 3 }),
  closedWith: "SLOW_CLIENT",
} as const;

Deno.test("ResumeState.toRecord() has all that a hub needs to go on in its place", () => {
  const one = stateOf();
  for (let seq = 1; seq <= 3; seq++) {
    assertEquals(one.sequence.next(), seq);
    one.history.add(encodeFrame("notification", text({ seq }), 0, seq), 0);
  }
  one.remembered.remember("slow", SLOW, 5);
  const record = structuredClone(one.toRecord());
  const other = stateOf({ mirrored: record });
  assertEquals(other.sequence.position, one.sequence.position);
  assertFalse(other.sequence.isShared);
  const missed = other.history.missedSince({ events: 1, errors: 1 }, () => true, 0);
  assert(missed.complete);
  assertEquals(missed.frames.map(({ seq }) => seq), [2, 3]);
  assertEquals(other.remembered.recall("slow", 5)?.closedWith, "SLOW_CLIENT");
  assertEquals(other.remembered.recall("slow", 1006), undefined, "it left when it left");
  assertEquals(other.toRecord().position, record.position);
});

Deno.test("ResumeState goes on in a shared stream where the hub does that it repeats", () => {
  const one = stateOf();
  one.sequence.share({ epoch: "stream", seq: 7 });
  const other = stateOf({ mirrored: one.toRecord() });
  assert(other.sequence.isShared);
  assertEquals(other.sequence.position, { epoch: "stream", seq: 7 });
});

Deno.test("ResumeState lets numbers speak for themselves where its epoch outlives what it remembers", () => {
  assertFalse(stateOf().sequence.outlivesMemory);
  assert(stateOf({ isEpochKept: true }).sequence.outlivesMemory);
  assert(stateOf({ keeper: keeperOf() }).sequence.outlivesMemory);
  assert(stateOf({ mirrored: stateOf().toRecord() }).sequence.outlivesMemory);
  assertFalse(stateOf({ keeper: keeperOf(), isEpochKept: false }).sequence.outlivesMemory);
});

Deno.test("ResumeState has kept what it says, and what it has forgotten", () => {
  const keeper = keeperOf();
  const state = stateOf({ keeper });
  assert(state.isKept);
  state.sequence.next();
  const { epoch } = state.sequence;
  const kept = keeper.positions.at(-1);
  assert(kept?.epoch === epoch && kept.upTo >= 1, "before it is given out");
  state.onDeparture("slow", SLOW);
  assertEquals(keeper.sessions.get("slow")?.closedWith, "SLOW_CLIENT");
  state.remembered.remember("slow", SLOW, 0);
  assertEquals(state.remembered.recall("slow", 1001), undefined);
  assert(keeper.sessions.has("slow") && keeper.sessions.get("slow") === undefined);
  state.end();
  assertEquals(keeper.positions.at(-1)?.upTo, 1, "the next life goes on right after it");
});

Deno.test("ResumeState without a keeper keeps nothing, and gives a keeper nothing", () => {
  const state = stateOf();
  assertFalse(state.isKept);
  const keeper = keeperOf();
  state.sequence.next();
  state.onDeparture("slow", SLOW);
  state.keepAll(keeper);
  state.end();
  assertEquals([keeper.positions, keeper.sessions.size], [[], 0]);
});
