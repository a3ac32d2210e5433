import * as fc from "fast-check";
import { assert, assertEquals } from "../support/assert.ts";
import { FLAPPING_MS, IncidentJournal, MAX_INCIDENTS } from "../../src/incidents/journal.ts";

const CORE = { kind: "backend_down", backend: "core" } as const;
const QUEUE = { kind: "source_stale", channel: "queue" } as const;
const DAY_MS = 86_400_000;

const journalOf = () => new IncidentJournal({ keepForMs: 90 * DAY_MS });

Deno.test("IncidentJournal says what failed, when, for how long and why, newest first", () => {
  const journal = journalOf();
  journal.begin(CORE, { cause: "connection refused", failures: 3 }, 1_000_500);
  journal.begin(QUEUE, { cause: "core does not answer" }, 1_001_000);
  journal.end(CORE, 1_011_500);
  const [queue, core] = journal.find({}, 1_020_000);
  assertEquals(core, {
    id: core?.id ?? "",
    kind: "backend_down",
    backend: "core",
    started_at: 1000,
    ended_at: 1011,
    duration_ms: 11_000,
    cause: "connection refused",
    failures: 3,
    times: 1,
  });
  assertEquals([queue?.channel, queue?.ended_at, queue?.duration_ms], ["queue", null, 19_000]);
});

Deno.test("IncidentJournal counts what comes back within a minute as one incident", () => {
  const journal = journalOf();
  assert(journal.begin(CORE, { cause: "a", failures: 3 }, 0));
  assertEquals(journal.begin(CORE, { cause: "b", failures: 4 }, 10), undefined);
  journal.end(CORE, 1000);
  assert(journal.begin(CORE, { cause: "c" }, 1000 + FLAPPING_MS - 1));
  journal.end(CORE, 70_000);
  journal.begin(CORE, { cause: "d" }, 70_000 + FLAPPING_MS);
  const shown = journal.find({}, 200_000).map((
    { times, cause, failures },
  ) => [times, cause, failures]);
  assertEquals(shown, [[1, "d", 0], [2, "c", 4]]);
});

Deno.test("IncidentJournal finds by time, subject, state and number", () => {
  const journal = journalOf();
  journal.begin(CORE, { cause: "1" }, 100_000);
  journal.end(CORE, 200_000);
  journal.begin(QUEUE, { cause: "2" }, 300_000);
  const causes = (query: Parameters<typeof journal.find>[0]) =>
    journal.find(query, 400_000).map(({ cause }) => cause);
  assertEquals(causes({ sinceMs: 200_001 }), ["2"]);
  assertEquals(causes({ sinceMs: 150_000 }), ["2", "1"]);
  assertEquals(causes({ untilMs: 299_999 }), ["1"]);
  assertEquals(causes({ channel: "queue" }), ["2"]);
  assertEquals(causes({ backend: "core" }), ["1"]);
  assertEquals(causes({ isOpen: true }), ["2"]);
  assertEquals(causes({ limit: 1 }), ["2"]);
});

Deno.test("IncidentJournal forgets what is old or too many, and never what lasts", () => {
  const forgotten: string[] = [];
  const journal = new IncidentJournal({
    keepForMs: DAY_MS,
    onForgotten: ({ cause }) => forgotten.push(cause),
  });
  journal.begin(QUEUE, { cause: "lasts" }, 0);
  journal.begin(CORE, { cause: "old" }, 0);
  journal.end(CORE, 1000);
  journal.prune(DAY_MS + 1001);
  assertEquals(forgotten, ["old"]);
  for (let n = 0; n < MAX_INCIDENTS + 5; n++) {
    journal.begin(CORE, { cause: String(n) }, n * 2 * FLAPPING_MS);
    journal.end(CORE, n * 2 * FLAPPING_MS + 1);
  }
  assertEquals(journal.size, MAX_INCIDENTS);
  assertEquals(journal.open().map(({ cause }) => cause), ["lasts"]);
});

Deno.test("IncidentJournal has at most one incident that lasts for each subject, and none overlap", () => {
  const step = fc.record({
    is: fc.constantFrom("begin", "end"),
    subject: fc.constantFrom(CORE, QUEUE),
    afterMs: fc.integer({ min: 0, max: 90_000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const journal = journalOf();
    let now = 0;
    for (const { is, subject, afterMs } of steps) {
      now += afterMs;
      if (is === "begin") journal.begin(subject, { cause: "x" }, now);
      else journal.end(subject, now);
    }
    for (const subject of [CORE, QUEUE]) {
      const own = journal.all().filter(({ kind }) => kind === subject.kind);
      for (const [at, each] of own.entries()) {
        const before = own[at - 1];
        if (before) assert((before.endedMs ?? Infinity) + FLAPPING_MS <= each.startedMs);
      }
      assert(own.filter(({ endedMs }) => endedMs === undefined).length <= 1);
    }
  }));
});

Deno.test("IncidentJournal of each hub of a cluster calls an incident by the same id, and no two alike", () => {
  const [one, other] = [journalOf(), journalOf()];
  const why = { cause: "x", sharedMs: 1_000_000 };
  const first = one.begin(CORE, why, 1_000_500)?.id;
  assertEquals(other.begin(CORE, why, 1_003_000)?.id, first);
  const others = [
    one.begin(QUEUE, why, 1_000_500)?.id,
    one.begin({ kind: "backend_down", backend: "disks" }, why, 1_000_500)?.id,
  ];
  // Over the same value once more, long after: another incident, and the first one is left as it is.
  one.end(CORE, 1_010_000);
  const again = one.begin(CORE, why, 1_010_000 + FLAPPING_MS)?.id;
  assertEquals(new Set([first, ...others, again]).size, 4);
  assertEquals(one.find({ backend: "core" }, 2_000_000).map(({ id }) => id), [again, first]);
});
