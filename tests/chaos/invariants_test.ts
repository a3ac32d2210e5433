import { assertEquals } from "../support/assert.ts";
import type { Facts } from "./facts.ts";
import { allAscends, breachesIn, lossesIn } from "./invariants.ts";
import { type Entry, Journal, type Told } from "./journal.ts";

const EPOCH = "the-epoch";
const SESSION = "a-session";

/** A short run in which nothing went wrong that was not told. */
const FACTS: Facts = {
  given: new Map([
    [1, { method: "Get", at: 1000 }],
    [2, { method: "Get", at: 2000 }],
    [3, { method: "Get", at: 4000 }],
  ]),
  failures: [{ seq: 20, at: 3000, doubts: (channel) => channel === "values" }],
  outages: [{ from: 40, until: 50 }],
  methods: new Map([["values", "Get"]]),
  published: new Map([[1, 5], [2, 15], [3, 25]]),
};

const HONEST: readonly Entry[] = [
  { k: "open", batch: false },
  told(frame("welcome", undefined, welcome({ seq: 0 }))),
  told(value(1, 3), notification(1, 5), value(2, 10), notification(2, 15)),
  { k: "end", end: { code: 1006, clean: false } },
  { k: "open", batch: false, resume: { session: SESSION, epoch: EPOCH, since: 15 } },
  told(frame("welcome", undefined, welcome({ seq: 24, recovered: true }))),
  told(frame("rpc_error", 20, { code: "RPC_FAILURE" }), value(2, 21, true)),
  told(notification(3, 25), value(3, 30)),
  told(frame("error", undefined, { code: "SERVER_SHUTDOWN" })),
  { k: "end", end: { code: 1001, clean: true } },
];

Deno.test("breachesIn() finds nothing in an honest story", () => {
  assertEquals(breaches(HONEST), []);
});

const LIES: readonly [what: string, change: (entries: Entry[]) => void, breach: string][] = [
  ["an older value after a newer", tell(2, value(1, 16)), "values: value 1 after 2"],
  ["a stale value made fresh", tell(6, value(2, 22)), "values: value 2 fresh after it was stale"],
  [
    "a value from before the failure called fresh",
    (entries) => entries.splice(6, 1, told(value(2, 21))),
    "values: value 2 (seq 21) is fresh, but was given 1000 ms before the failure told as 20",
  ],
  ["a value nobody gave", tell(7, value(9, 31)), "values: value 9 was never given"],
  [
    "a fresh value while the breaker is open",
    tell(7, value(3, 45)),
    "values: value 3 (seq 45) is fresh while the breaker is open",
  ],
  ["an event twice", tell(5, notification(2, 15)), "notification 2 after 2"],
  [
    "an event skipped",
    (entries) => entries.splice(7, 1, told(value(3, 30))),
    "notification 3 and 0 more never came",
  ],
  [
    "an event lost on the way back",
    (entries) => entries.splice(2, 1, told(value(1, 3), notification(1, 5), value(2, 10))),
    "notification 2 is missing before 3",
  ],
  ["an error twice", tell(7, frame("rpc_error", 20, {})), "error 20 came twice"],
  ["a lane out of order", tell(2, value(2, 9)), "values: 9 after 10"],
  [
    "a return without a word on what was missed",
    (entries) => entries.splice(5, 1, told(frame("welcome", undefined, welcome({ seq: 15 })))),
    "a resumed client is told neither recovered nor gap",
  ],
];

for (const [what, change, breach] of LIES) {
  Deno.test(`breachesIn() finds ${what}`, () => {
    const entries = [...HONEST];
    change(entries);
    const found = breaches(entries);
    assertEquals(found.includes(breach), true, JSON.stringify(found));
  });
}

Deno.test("breachesIn() forgives what was missed where a gap was admitted", () => {
  const entries = [...HONEST];
  entries.splice(2, 1, told(value(1, 3)));
  entries.splice(5, 1, told(frame("welcome", undefined, welcome({ seq: 24, gap: true }))));
  assertEquals(breaches(entries), []);
});

Deno.test("allAscends() finds a frame that overtook another of a client never blocked", () => {
  const [life] = journal([
    { k: "open", batch: false },
    told(notification(2, 15), value(1, 10)),
  ]).lives;
  assertEquals(life && [...allAscends(life)], ["values 10 came after 15"]);
});

Deno.test("lossesIn() lists every client of a notice about many", () => {
  const many = frame("connection_error", 7, {
    code: "CLIENT_DISCONNECTED",
    data: { client_id: "a", client_ids: ["a", "b"], count: 2 },
  });
  assertEquals(lossesIn([many]).map(({ id }) => id), ["a", "b"]);
});

function breaches(entries: readonly Entry[]): string[] {
  return breachesIn(journal(entries), FACTS);
}

function journal(entries: readonly Entry[]): Journal {
  const journal = new Journal();
  for (const entry of entries) journal.add(entry);
  return journal;
}

/** Says something more at the end of one entry. */
function tell(nth: number, ...more: Told[]): (entries: Entry[]) => void {
  return (entries) => {
    const entry = entries[nth];
    if (entry?.k === "told") entries[nth] = told(...entry.frames, ...more);
  };
}

function told(...frames: Told[]): Entry {
  return { k: "told", frames };
}

function frame(type: string, seq: number | undefined, data: Told["data"]): Told {
  return { type, ...(seq === undefined ? {} : { seq }), data, at: 0 };
}

function value(n: number, seq: number, isStale = false): Told {
  const error = isStale ? { error: { code: "RPC_UNAVAILABLE" } } : {};
  return frame("values", seq, { data: { method: "Get", n }, is_stale: isStale, ...error });
}

function notification(number: number, seq: number): Told {
  return frame("notification", seq, { title: "numbered", number });
}

function welcome(changes: { seq: number; recovered?: boolean; gap?: boolean }): Told["data"] {
  return { session: SESSION, epoch: EPOCH, recovered: false, gap: false, ...changes };
}
