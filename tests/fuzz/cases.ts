import fc from "fast-check";
import { numberFromEnv, runSeed } from "../support/seed.ts";

/** What of the whole a run does: 1 is the 100,000 cases of every run; more, by hand, does more. */
const SCALE = numberFromEnv("HOLDFAST_FUZZ_SCALE", 1);

/** A share of the 100,000 cases, scaled. */
export function casesOf(share: number): number {
  return Math.ceil(share * SCALE);
}

/** Settings of a property: a seed that is printed, and so many runs. */
// deno-lint-ignore no-explicit-any -- fast-check's own settings are typed by the property's values
export function settings(suite: string, numRuns: number): fc.Parameters<any> {
  return { seed: runSeed(suite) | 0, numRuns };
}

/** Names of channels: real ones, the hub's own, ones that were never there, and no names at all. */
export const channelName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "notification", "error", "heartbeat") },
  { weight: 2, arbitrary: fc.constantFrom("rpc_error", "connection_error", "secret") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("", "*", "welcome", "__proto__", "constructor", "A", "a,b", "../a"),
  },
  fc.string({ unit: "binary", maxLength: 80 }),
);

const anyValue = fc.jsonValue({ maxDepth: 3 });

const pingId = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: "binary", maxLength: 140 }),
  fc.stringMatching(/^x{126,130}$/),
  anyValue,
);

/** A message that is right, or wrong in one place. */
const nearlyRight = fc.oneof(
  fc.record({
    type: fc.constantFrom("subscribe", "unsubscribe"),
    channels: fc.oneof(
      { weight: 4, arbitrary: fc.array(channelName, { maxLength: 12 }) },
      anyValue,
      fc.array(fc.oneof(channelName, anyValue), { maxLength: 4 }),
    ),
  }),
  fc.record({ type: fc.constant("ping"), id: pingId }, { requiredKeys: ["type"] }),
  fc.record({
    type: fc.oneof(fc.constantFrom("Ping", "welcome", "pong", "SUBSCRIBE", " ping"), anyValue),
    channels: anyValue,
  }, { requiredKeys: [] }),
);

const MUTATIONS = ["none", "cut", "drop", "swap", "insert", "twice", "space"] as const;

/** The text of a message that is right, damaged as a bad network or a bad program would. */
const damaged = fc.tuple(
  nearlyRight,
  fc.constantFrom(...MUTATIONS),
  fc.nat(),
  fc.constantFrom("\u0000", '"', "\\", "{", "]", "\ud800", "\u2028", "\ufeff", "9", "é", "😀"),
).map(([value, mutation, place, piece]) => damage(JSON.stringify(value), mutation, place, piece));

function damage(
  text: string,
  mutation: typeof MUTATIONS[number],
  place: number,
  piece: string,
): string {
  const at = text.length === 0 ? 0 : place % text.length;
  switch (mutation) {
    case "none":
      return text;
    case "cut":
      return text.slice(0, at);
    case "drop":
      return text.slice(0, at) + text.slice(at + 1);
    case "swap":
      return text.slice(0, at) + piece + text.slice(at + 1);
    case "insert":
      return text.slice(0, at) + piece + text.slice(at);
    case "twice":
      return text + text;
    case "space":
      return ` \n\t${text}\r\n`;
  }
}

/** Text made to hurt a reader: deep, long, or full of what other readers choke on. */
const hostile = fc.oneof(
  fc.integer({ min: 1, max: 4000 }).map((depth) => "[".repeat(depth)),
  fc.integer({ min: 1, max: 2000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
  fc.integer({ min: 1, max: 800 }).map((depth) =>
    '{"type":'.repeat(depth) + "1" + "}".repeat(depth)
  ),
  fc.integer({ min: 7900, max: 8300 }).map((length) => " ".repeat(length)),
  fc.integer({ min: 2600, max: 2800 }).map((length) => "€".repeat(length)),
  fc.integer({ min: 1000, max: 1100 }).map((count) =>
    JSON.stringify({ type: "subscribe", channels: Array(count).fill("a") })
  ),
  fc.constantFrom(
    "",
    "null",
    "1e999",
    '{"type":"ping","id":1e999}',
    '{"type":"ping","id":-0}',
    '{"type":"ping","type":"subscribe"}',
    '{"__proto__":{"type":"ping"}}',
    '{"type":"ping","__proto__":null,"toString":1}',
    '{"type":{"toString":"x"}}',
    '{"type":"subscribe","channels":{"length":1,"0":"a"}}',
    "{'type':'ping'}",
    '[{"type":"ping"}]',
    '"ping"',
  ),
);

/** What a client may send as text. */
export const messageText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: damaged },
  { weight: 2, arbitrary: hostile },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  { weight: 1, arbitrary: anyValue.map((value) => JSON.stringify(value)) },
);
