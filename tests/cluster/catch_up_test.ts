import fc from "fast-check";
import { catchUp, type CatchUpOptions, type Numbered } from "../../src/cluster/catch_up.ts";
import type { Entry } from "../../src/cluster/entry.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { runSeed } from "../support/seed.ts";
import { claim, EPOCH, event, value } from "./entries.ts";

function numbered(from: number, entries: readonly (Entry | undefined)[]): Numbered[] {
  return entries.map((entry, at) => ({ seq: from + at, entry }));
}

function seqs(entries: readonly Numbered[]): number[] {
  return entries.map(({ seq }) => seq);
}

function options(changes: Partial<CatchUpOptions>): CatchUpOptions {
  return { deliverFrom: 1, readFrom: 1, epochOtherwise: "otherwise", ...changes };
}

Deno.test("catchUp() goes on where the hub left off, with what it missed in order", () => {
  const entries = numbered(5, [event(5), event(6), undefined, event(8)]);
  const { position, missed, past, isBroken } = catchUp(
    entries,
    options({ deliverFrom: 5, readFrom: 5, epochOtherwise: EPOCH }),
  );
  assertEquals(position, { epoch: EPOCH, seq: 4 });
  assertEquals(seqs(missed), [5, 6, 7, 8]);
  assertEquals([past, isBroken], [[], false]);
});

Deno.test("catchUp() keeps for those who resume what a newcomer's own clients do not get", () => {
  const entries = numbered(1, [claim(), event(2), value(3), event(4)]);
  const { position, startsAfter, past, missed } = catchUp(entries, options({ deliverFrom: 5 }));
  assertEquals(position, { epoch: EPOCH, seq: 4 });
  assertEquals(startsAfter, 0);
  assertEquals([seqs(past), missed], [[2, 3, 4], []]);
});

Deno.test("catchUp() takes nothing of an epoch before, nor what no leader vouches for", () => {
  const entries = numbered(1, [
    event(1),
    claim({ epoch: "before" }),
    event(3),
    claim({ term: 2 }),
    event(5),
  ]);
  const { position, startsAfter, past } = catchUp(entries, options({ deliverFrom: 6 }));
  assertEquals(position, { epoch: EPOCH, seq: 5 });
  assertEquals([startsAfter, seqs(past)], [3, [5]]);
});

Deno.test("catchUp() without a leader's entry knows of no past", () => {
  const { position, startsAfter, past } = catchUp(
    numbered(1, [event(1), event(2)]),
    options({ deliverFrom: 3 }),
  );
  assertEquals(position, { epoch: "otherwise", seq: 2 });
  assertEquals([startsAfter, past], [2, []]);
});

Deno.test("catchUp() begins a new epoch right at its claim", () => {
  const entries = numbered(3, [claim({ epoch: "next", term: 2 }), event(4)]);
  const { position, startsAfter, missed } = catchUp(
    entries,
    options({ deliverFrom: 3, readFrom: 3, epochOtherwise: EPOCH }),
  );
  assertEquals([position, startsAfter], [{ epoch: "next", seq: 3 }, 3]);
  assertEquals(seqs(missed), [3, 4]);
});

Deno.test("catchUp() brings of values only the newest, and every event", () => {
  const entries = numbered(1, [
    value(1),
    event(2),
    value(3, { type: "b" }),
    value(4),
    event(5),
  ]);
  const { missed } = catchUp(entries, options({ readFrom: 1, deliverFrom: 1 }));
  assertEquals(seqs(missed), [2, 3, 4, 5]);
});

Deno.test("catchUp() tells of whatever is missing among what was missed", () => {
  const of = (...seqs: number[]) =>
    catchUp(
      seqs.map((seq) => ({ seq, entry: event(seq) })),
      options({ deliverFrom: 5, readFrom: 5 }),
    );
  assertEquals(of(5, 6, 7).isBroken, false);
  assertEquals(of(6, 7).isBroken, true, "the first");
  assertEquals(of(5, 7).isBroken, true, "one in between");
  assertEquals(of().isBroken, false, "nothing came");
});

/** A stream as it may come to be read: each kind of entry has lost its oldest ones. */
const STREAM = fc.record({
  kinds: fc.array(fc.constantFrom("event", "value", "claim", "new epoch", "garbage"), {
    minLength: 1,
    maxLength: 40,
  }),
  eventsKept: fc.integer({ min: 1, max: 20 }),
  leadsKept: fc.integer({ min: 1, max: 20 }),
  deliverFrom: fc.nat(),
});

Deno.test("catchUp() never lets a client believe it has everything when it has not", () => {
  const seed = runSeed("catch up");
  const property = fc.property(STREAM, ({ kinds, eventsKept, leadsKept, deliverFrom: at }) => {
    let lives = 1;
    const all: Numbered[] = kinds.map((kind, at) => {
      const seq = at + 1;
      if (kind === "new epoch") lives += 1;
      const epoch = `epoch ${lives}`;
      if (kind === "garbage") return { seq, entry: undefined };
      if (kind === "event") return { seq, entry: event(seq, { epoch }) };
      return { seq, entry: kind === "value" ? value(seq, { epoch }) : claim({ epoch, term: seq }) };
    });
    const isAnyones = ({ entry }: Numbered) => entry?.kind === "broadcast" && !entry.status;
    const kept = new Set([
      ...all.filter(isAnyones).slice(-eventsKept),
      ...all.filter((each) => !isAnyones(each)).slice(-leadsKept),
    ]);
    const read = all.filter((each) => kept.has(each));
    const readFrom = read[0]?.seq ?? all.length + 1;
    const deliverFrom = readFrom + at % (all.length + 2 - readFrom);
    const { position, startsAfter, past, missed, isBroken } = catchUp(
      read,
      options({ readFrom, deliverFrom }),
    );

    // Whoever resumes after `startsAfter` is promised all of that epoch from there on.
    const epochAt = (seq: number) => `epoch ${kinds.slice(0, seq).filter(isNewEpoch).length + 1}`;
    const promised = all.filter(({ seq, entry }) =>
      seq > startsAfter && seq < deliverFrom && isAnyones({ seq, entry })
    );
    const remembered = new Set(past.map(({ seq }) => seq));
    for (const { seq } of promised) {
      assert(remembered.has(seq), `${seq} is promised to those who resume, and not there`);
      assertEquals(epochAt(seq), position.epoch, `${seq} is of another epoch`);
    }
    // Its own clients get every event there was, or are told.
    const delivered = new Set(missed.map(({ seq }) => seq));
    for (const { seq, entry } of all) {
      if (seq < deliverFrom || !isAnyones({ seq, entry }) || isBroken) continue;
      assert(delivered.has(seq), `${seq} is missing unsaid`);
    }
    const order = seqs(missed);
    assertEquals(order, [...order].sort((a, b) => a - b));
  });
  fc.assert(property, { seed, numRuns: 3000 });
});

function isNewEpoch(kind: string): boolean {
  return kind === "new epoch";
}
