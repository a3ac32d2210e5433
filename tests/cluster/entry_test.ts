import fc from "fast-check";
import { decodeEntry, encodeEntry, type Entry } from "../../src/cluster/entry.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { text } from "../support/hub_bench.ts";
import { runSeed } from "../support/seed.ts";
import { claim, event, failure, value } from "./entries.ts";

const ENTRIES: Readonly<Record<string, Entry>> = {
  "a claim": claim({ term: 7, after: 12 }),
  "an event": event(1),
  "a value": value(1, { term: 3, after: 4 }),
  "a stale value": value(1, { status: { is_stale: true, cached_at: 5, age_ms: 10 } }),
  "an error": failure("CIRCUIT_OPEN", { backend: "core" }),
  "text with line breaks": event(0, { data: text({ title: "one\ntwo\r\n\u2028three" }) }),
};

for (const [name, entry] of Object.entries(ENTRIES)) {
  Deno.test(`decodeEntry() reads ${name} as it was written`, () => {
    assertEquals(decodeEntry(encodeEntry(entry)), entry);
  });
}

Deno.test("decodeEntry() makes nothing of a form it does not know, of another's or of half an entry", () => {
  const written = encodeEntry(value(1));
  const [head = "", data = ""] = written.split("\n");
  const changed = (changes: object) =>
    `${JSON.stringify({ ...JSON.parse(head), ...changes })}\n${data}`;
  assert(decodeEntry(changed({})), "the untouched one is read");
  const strange: Readonly<Record<string, string>> = {
    "a newer form": changed({ form: 2 }),
    "another kind": changed({ kind: "vote" }),
    "no kind": changed({ kind: undefined }),
    "no epoch": changed({ epoch: undefined }),
    "a hub's name that is none": changed({ hub: 5 }),
    "a type that is none": changed({ type: "Not A Channel" }),
    "one of the hub's own types": changed({ type: "welcome" }),
    "a value without its status": changed({ status: undefined }),
    "no timestamp": changed({ timestamp: undefined }),
    "a status that is none": changed({ status: null }),
    "a status without an age": changed({ status: { is_stale: false, cached_at: 5 } }),
    "no data": `${head}\n`,
    "data that is no JSON": `${head}\n{`,
    "an error that is no object": encodeEntry(event(0, { type: "rpc_error", data: text(null) })),
    "no end of the head": head,
    "a claim without its term": `${JSON.stringify({ ...claim(), form: 1, term: undefined })}\n`,
    "a list": "[]\n1",
    "null": "null\n1",
    "a number": "5\n1",
    "nothing": "",
  };
  for (const [what, text] of Object.entries(strange)) {
    assertEquals(decodeEntry(text), undefined, what);
  }
});

Deno.test("decodeEntry() keeps an error whose code only newer hubs know, without the code", () => {
  const { code: _, ...known } = failure("RPC_FAILURE", { channel: "a" });
  const newer = encodeEntry({ ...known, code: "TOMORROWS_CODE" as never });
  assertEquals(decodeEntry(newer), known);
});

Deno.test("decodeEntry() never throws, whatever stands in the stream", () => {
  const seed = runSeed("entries");
  const strangeHead = fc.json().chain((head) => fc.string().map((data) => `${head}\n${data}`));
  const damaged = fc.tuple(
    fc.constantFrom(...Object.values(ENTRIES).map(encodeEntry)),
    fc.nat(),
    fc.string({ maxLength: 3 }),
  ).map(([text, at, wedge]) =>
    text.slice(0, at % text.length) + wedge + text.slice(at % text.length)
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), strangeHead, damaged), (text) => {
      const entry = decodeEntry(text);
      assert(entry === undefined || entry.kind === "claim" || entry.kind === "broadcast");
    }),
    { seed, numRuns: 2000 },
  );
});
