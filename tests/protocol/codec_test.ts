import {
  encodeFrame,
  encodeJson,
  encodeStatusData,
  joinBatch,
  json,
  type JsonText,
  parseClientMessage,
  parseFrames,
} from "../../src/protocol/codec.ts";
import { errorEvent } from "../../src/protocol/error_event.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";

function jsonOf(value: unknown): JsonText {
  const encoded = encodeJson(value);
  if (!encoded.ok) throw new Error(encoded.why);
  return encoded.json;
}

function whyNot(value: unknown): string {
  const encoded = encodeJson(value);
  if (encoded.ok) throw new Error(`it was encoded: ${encoded.json}`);
  return encoded.why;
}

Deno.test("encodeJson() says why a value cannot be encoded, in one line, and never throws", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = { cycle };
  assertStringIncludes(whyNot(cycle), "circular");
  assertStringIncludes(whyNot({ n: 1n }), "BigInt");
  assertStringIncludes(whyNot(undefined), "undefined");
  assertStringIncludes(whyNot(() => 1), "function");
  assertStringIncludes(whyNot(Symbol("s")), "symbol");
  const throwing = (what: unknown) => ({
    toJSON() {
      throw what;
    },
  });
  assertEquals(whyNot(throwing(new Error("no\nmore"))), "no");
  assertEquals(whyNot(throwing("just text")), "just text");
  // Neither an error nor anything with a text of its own.
  for (const odd of [Object.create(null), Symbol("s"), undefined, new Error("")]) {
    assertEquals(whyNot(throwing(odd)), "it threw while being encoded");
  }
  for (const value of [cycle, { n: 1n }]) assert(!whyNot(value).includes("\n"));
});

Deno.test("encodeJson() encodes what JSON has a form for, null included", () => {
  for (const value of [null, 0, "", false, [], {}, { a: [1, "x"] }]) {
    assertEquals(JSON.parse(jsonOf(value)), value);
  }
});

Deno.test("encodeJson() gives text that is valid Unicode whatever the value holds", () => {
  const text = jsonOf({ s: "\ud800", line: "\u2028", quote: '"\\\n\u0000' });
  assert(text.isWellFormed());
  assertEquals(JSON.parse(text), { s: "\ud800", line: "\u2028", quote: '"\\\n\u0000' });
});

Deno.test("encodeFrame() puts an envelope around data, with `seq` only where there is one", () => {
  const data = jsonOf({ quote: '"', brace: "}" });
  const numbered = encodeFrame("system_status", data, 1764000000, 17);
  assertEquals(JSON.parse(numbered.text), {
    type: "system_status",
    timestamp: 1764000000,
    seq: 17,
    data: { quote: '"', brace: "}" },
  });
  assertEquals(numbered.seq, 17);
  const own = encodeFrame("pong", jsonOf({}), 1764000000);
  assertEquals(JSON.parse(own.text), { type: "pong", timestamp: 1764000000, data: {} });
  assert(!("seq" in own));
});

Deno.test("encodeStatusData() wraps a value encoded before; `error` only where there is one", () => {
  const status = { data: jsonOf({ a: 1 }), is_stale: false, cached_at: 5, age_ms: 6 };
  assertEquals(JSON.parse(encodeStatusData(status)), {
    data: { a: 1 },
    is_stale: false,
    cached_at: 5,
    age_ms: 6,
  });
  const error = errorEvent("RPC_UNAVAILABLE", 'quotes " and \\', { timestamp: 9 });
  const stale = JSON.parse(encodeStatusData({ ...status, is_stale: true, error }));
  assertEquals(stale.is_stale, true);
  assertEquals(stale.error, { ...error });
});

Deno.test("joinBatch() makes an array of several frames and leaves a single one as it is", () => {
  const one = encodeFrame("a", jsonOf(1), 1, 1);
  const two = encodeFrame("b", jsonOf("]"), 1, 2);
  assertEquals(joinBatch([one]), one.text);
  assertEquals(JSON.parse(joinBatch([one, two])), [JSON.parse(one.text), JSON.parse(two.text)]);
});

Deno.test("parseFrames() takes back what joinBatch() and encodeFrame() made", () => {
  const one = encodeFrame("a", jsonOf(1), 1, 1);
  const two = encodeFrame("b", jsonOf(2), 1, 2);
  assertEquals(parseFrames(one.text).map(({ type }) => type), ["a"]);
  assertEquals(parseFrames(joinBatch([one, two])).map(({ seq }) => seq), [1, 2]);
});

Deno.test("json() encodes our own data", () => {
  assertEquals(json({ id: "x" }) as string, '{"id":"x"}');
});

function understood(text: string): unknown {
  const parsed = parseClientMessage(text);
  if (!parsed.ok) throw new Error(`${text.slice(0, 60)}: ${parsed.why}`);
  return parsed.message;
}

function complaint(text: string): string {
  const parsed = parseClientMessage(text);
  if (parsed.ok) throw new Error(`it was understood: ${text.slice(0, 60)}`);
  return parsed.why;
}

Deno.test("parseClientMessage() understands the three messages of the contract", () => {
  const subscribe = { type: "subscribe", channels: ["a", "b"] };
  assertEquals(understood(JSON.stringify(subscribe)), subscribe);
  assertEquals(understood('{"type":"unsubscribe","channels":[]}'), {
    type: "unsubscribe",
    channels: [],
  });
  assertEquals(understood('{"type":"ping"}'), { type: "ping" });
  for (const id of [0, -1.5, "", "x".repeat(128)]) {
    assertEquals(understood(JSON.stringify({ type: "ping", id })), { type: "ping", id });
  }
});

Deno.test("parseClientMessage() ignores members it does not know", () => {
  assertEquals(understood('{"type":"ping","extra":{"a":1},"channels":7}'), { type: "ping" });
});

Deno.test("parseClientMessage() says what was wrong and what would be right", () => {
  assertStringIncludes(complaint("{"), `not JSON; send an object such as {"type":"ping"}`);
  assertStringIncludes(complaint(""), "not JSON");
  assertStringIncludes(complaint("null"), "the message is null");
  assertStringIncludes(complaint("[]"), "the message is a list");
  assertStringIncludes(complaint('"ping"'), "the message is a string");
  assertStringIncludes(complaint("{}"), `"type" is missing`);
  assertStringIncludes(complaint('{"type":"toString"}'), '"subscribe", "unsubscribe" and "ping"');
  assertStringIncludes(complaint('{"type":7}'), `"type" is 7`);
  assertStringIncludes(complaint('{"type":null}'), `"type" is null`);
  assertStringIncludes(complaint('{"type":{"a":1}}'), `"type" is an object`);
  for (const type of ["subscribe", "unsubscribe"]) {
    for (const channels of [undefined, "a", {}, [1], [null], [["a"]], { 0: "a", length: 1 }]) {
      assertStringIncludes(
        complaint(JSON.stringify({ type, channels })),
        `"channels" of "${type}" must be a list of channel names`,
      );
    }
  }
  for (const id of [null, {}, [], true, "x".repeat(129)]) {
    assertStringIncludes(complaint(JSON.stringify({ type: "ping", id })), `"id" of "ping"`);
  }
});

Deno.test("parseClientMessage() bounds how many channels one message names", () => {
  const channels = Array.from({ length: 1025 }, () => "a");
  assertStringIncludes(complaint(JSON.stringify({ type: "subscribe", channels })), "1024");
  assertEquals(
    understood(JSON.stringify({ type: "subscribe", channels: channels.slice(1) })),
    { type: "subscribe", channels: channels.slice(1) },
  );
});

Deno.test("parseClientMessage() does not echo an id that JSON cannot write", () => {
  assertStringIncludes(complaint('{"type":"ping","id":1e999}'), `"id" of "ping"`);
});

Deno.test("parseClientMessage() takes nothing from `__proto__` and pollutes no prototype", () => {
  assertStringIncludes(complaint('{"__proto__":{"type":"ping"}}'), `"type" is missing`);
  assertEquals(understood('{"type":"ping","__proto__":{"id":5}}'), { type: "ping" });
  assertEquals(({} as Record<string, unknown>).id, undefined);
  assertStringIncludes(
    complaint('{"type":"subscribe","__proto__":{"channels":["a"]}}'),
    "must be a list",
  );
});

Deno.test("parseClientMessage() never throws on nesting as deep as a message can be", () => {
  const depth = 32_000;
  const nested = "[".repeat(depth) + "]".repeat(depth);
  const objects = '{"a":'.repeat(10_000) + "1" + "}".repeat(10_000);
  for (const deep of [nested, objects]) {
    for (
      const text of [
        deep,
        `{"type":${deep}}`,
        `{"type":"ping","id":${deep}}`,
        `{"type":"subscribe","channels":${deep}}`,
        `{"type":"subscribe","channels":[${deep}]}`,
      ]
    ) assert(complaint(text).length < 300);
  }
  assertStringIncludes(complaint("[".repeat(65_000)), "not JSON");
});

Deno.test("parseClientMessage() keeps its complaint short and encodable, lone surrogates included", () => {
  const why = complaint(JSON.stringify({ type: "😀".repeat(1000) }));
  assert(why.length < 200, why);
  const text = jsonOf({ why });
  assert(text.isWellFormed());
  assertEquals(understood('{"type":"ping","id":"\\ud800"}'), { type: "ping", id: "\ud800" });
  assert(jsonOf({ id: "\ud800" }).isWellFormed());
});
