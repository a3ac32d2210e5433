import { type Outcome, valueOutcome } from "../../../src/rpc/backend.ts";
import { createJsonRpcBackend } from "../../../src/rpc/http/json_rpc.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../support/assert.ts";
import { gzip, httpAnswer, rawServer, readRequest, untilClosed, write } from "../raw_server.ts";

const { signal } = new AbortController();
const MAX_BYTES = 10_000;

/** What a call comes to when the server answers with this. */
async function outcomeOf(answer: string | Uint8Array, params?: unknown): Promise<Outcome> {
  await using server = rawServer(async (conn) => {
    if (await readRequest(conn) !== undefined) await write(conn, answer);
  });
  await using backend = createJsonRpcBackend({ url: server.url, maxResponseBytes: MAX_BYTES });
  return await backend.call({ method: "m", params }, { signal });
}

const RESULT = `{"jsonrpc":"2.0","id":1,"result":{"a":1}}`;
const ERROR = `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`;
const ok: Outcome = valueOutcome({ a: 1 });
const rejected: Outcome = { kind: "rejected", reason: "JSON-RPC error -32601: Method not found" };

function unavailable(reason: string): Outcome {
  return { kind: "unavailable", reason };
}

const outcomes: [name: string, answer: string | Uint8Array, expected: Outcome][] = [
  ["a result", httpAnswer("200 OK", RESULT), ok],
  ["a null result", httpAnswer("200 OK", RESULT.replace(`{"a":1}`, "null")), valueOutcome(null)],
  [
    "a result of another content type",
    httpAnswer("200 OK", RESULT, "Content-Type: text/html\r\n"),
    ok,
  ],
  ["a result after a byte order mark", httpAnswer("200 OK", `\uFEFF${RESULT}`), ok],
  [
    "a gzipped result",
    httpAnswer("200 OK", await gzip(bytesOf(RESULT)), "Content-Encoding: gzip\r\n"),
    ok,
  ],
  ["a JSON-RPC error", httpAnswer("200 OK", ERROR), rejected],
  ["a JSON-RPC error with 404", httpAnswer("404 x", ERROR), rejected],
  ["a 404", httpAnswer("404 x", "<html>"), {
    kind: "rejected",
    reason: "HTTP 404 Not Found: <html>",
  }],
  ["a 401 without body", httpAnswer("401 x", ""), {
    kind: "rejected",
    reason: "HTTP 401 Unauthorized",
  }],
  ["a 400 with a result", httpAnswer("400 x", RESULT), {
    kind: "rejected",
    reason: `HTTP 400 Bad Request: ${RESULT}`,
  }],
  ["a 429", httpAnswer("429 x", ""), unavailable("HTTP 429 Too Many Requests")],
  ["a 500", httpAnswer("500 x", "<html>"), unavailable("HTTP 500 Internal Server Error: <html>")],
  ["a 599", httpAnswer("599 x", ""), unavailable("HTTP 599")],
  [
    "a 500 with a JSON-RPC error",
    httpAnswer("500 x", ERROR),
    unavailable("HTTP 500 Internal Server Error: JSON-RPC error -32601: Method not found"),
  ],
  [
    "a 503 with a huge body",
    httpAnswer("503 x", "x".repeat(MAX_BYTES + 1)),
    unavailable(`HTTP 503 Service Unavailable: ${"x".repeat(200)}…`),
  ],
  ["a redirect", httpAnswer("302 x", "", "Location: /\r\n"), {
    kind: "rejected",
    reason: "HTTP 302 Found: a POST is not redirected; set 'url' to the final address",
  }],
  [
    "HTML",
    httpAnswer("200 OK", "<html>", "Content-Type: text/html; charset=utf-8\r\n"),
    unavailable("the answer is not JSON but text/html"),
  ],
  [
    "broken JSON",
    httpAnswer("200 OK", RESULT.slice(0, -1), "Content-Type: application/json\r\n"),
    unavailable("the answer is not JSON"),
  ],
  ["an empty body", httpAnswer("200 OK", ""), unavailable("the answer is empty, not JSON")],
  ["no body", "HTTP/1.1 204 x\r\n\r\n", unavailable("the answer is empty, not JSON")],
  [
    "text in another encoding",
    httpAnswer("200 OK", Uint8Array.of(0xff, 0xfe, 0x7b, 0)),
    unavailable("the answer is not UTF-8 text"),
  ],
  [
    "the answer to another call",
    httpAnswer("200 OK", RESULT.replace(`"id":1`, `"id":2`)),
    unavailable("the answer is not JSON-RPC 2.0: its id is not the call's"),
  ],
  [
    "a batch",
    httpAnswer("200 OK", `[${RESULT}]`),
    unavailable("the answer is not JSON-RPC 2.0: a batch, though one call was made"),
  ],
  [
    "JSON of another kind",
    httpAnswer("200 OK", `{"a":1}`),
    unavailable(`the answer is not JSON-RPC 2.0: "jsonrpc" is not "2.0"`),
  ],
  [
    "a body announced as too large",
    `HTTP/1.1 200 OK\r\nContent-Length: ${MAX_BYTES + 1}\r\n\r\n`,
    unavailable(`the answer is larger than ${MAX_BYTES} bytes`),
  ],
  [
    "a gzip bomb",
    httpAnswer("200 OK", await gzip(new Uint8Array(1_000_000)), "Content-Encoding: gzip\r\n"),
    unavailable(`the answer is larger than ${MAX_BYTES} bytes`),
  ],
];
for (const [name, answer, expected] of outcomes) {
  Deno.test(`createJsonRpcBackend() makes of ${name}: ${expected.kind}`, async () => {
    assertEquals(await outcomeOf(answer), expected);
  });
}

Deno.test("createJsonRpcBackend() rejects params that JSON-RPC cannot carry", async () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assertEquals(await outcomeOf("", 5), {
    kind: "rejected",
    reason: "JSON-RPC params are an object or a list, not a number",
  });
  assertEquals(await outcomeOf("", cycle), {
    kind: "rejected",
    reason: "the call's params have no form in JSON",
  });
});

Deno.test("createJsonRpcBackend() posts requests of their own ids with the given headers", async () => {
  const requests: string[] = [];
  await using server = rawServer(async (conn) => {
    for (;;) {
      const request = await readRequest(conn);
      if (request === undefined) return;
      requests.push(request);
      await write(conn, httpAnswer("200 OK", "{}"));
    }
  });
  const url = new URL("/rpc?tenant=1", server.url);
  url.username = "user";
  url.password = "pass";
  await using backend = createJsonRpcBackend({
    url: url.href,
    headers: { "x-key": "k" },
    maxResponseBytes: MAX_BYTES,
  });
  for (const params of [undefined, null, {}, [1], { a: { b: 1 } }]) {
    await backend.call({ method: "Get", params }, { signal });
  }
  const [first = ""] = requests;
  assert(first.startsWith("POST /rpc?tenant=1 HTTP/1.1\r\n"), first);
  for (
    const header of [
      "content-type: application/json",
      "x-key: k",
      `authorization: Basic ${btoa("user:pass")}`,
    ]
  ) {
    assert(first.includes(`\r\n${header}\r\n`), `${header} is not in ${first}`);
  }
  const bodies = requests.map((each) => JSON.parse(each.slice(each.indexOf("\r\n\r\n"))));
  assertEquals(bodies, [
    { jsonrpc: "2.0", id: 1, method: "Get" },
    { jsonrpc: "2.0", id: 2, method: "Get" },
    { jsonrpc: "2.0", id: 3, method: "Get", params: {} },
    { jsonrpc: "2.0", id: 4, method: "Get", params: [1] },
    { jsonrpc: "2.0", id: 5, method: "Get", params: { a: { b: 1 } } },
  ]);
});

Deno.test("createJsonRpcBackend() lets no call of many take another's answer", async () => {
  await using server = rawServer(async (conn) => {
    for (;;) {
      const request = await readRequest(conn);
      if (request === undefined) return;
      const { id, method } = JSON.parse(request.slice(request.indexOf("\r\n\r\n")));
      const result = JSON.stringify({ jsonrpc: "2.0", id, result: method });
      await write(conn, httpAnswer("200 OK", result));
    }
  });
  await using backend = createJsonRpcBackend({ url: server.url, maxResponseBytes: MAX_BYTES });
  const methods = Array.from({ length: 20 }, (_, each) => `m${each}`);
  const outcomes = await Promise.all(methods.map((method) => backend.call({ method }, { signal })));
  assertEquals(outcomes, methods.map(valueOutcome));
});

Deno.test("createJsonRpcBackend() throws the signal's reason and closes the connection", async () => {
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    asked.resolve();
    await untilClosed(conn);
    closed.resolve();
  });
  await using backend = createJsonRpcBackend({ url: server.url, maxResponseBytes: MAX_BYTES });
  const abort = new AbortController();
  const calling = backend.call({ method: "m" }, { signal: abort.signal });
  await asked.promise;
  const reason = new Error("enough");
  abort.abort(reason);
  assertEquals(await assertRejects(() => calling), reason);
  await closed.promise;
});

Deno.test("createJsonRpcBackend() throws if an option is out of range", () => {
  const url = "http://127.0.0.1/";
  assertThrows(() => createJsonRpcBackend({ url, maxResponseBytes: 0 }), RangeError);
  assertThrows(() => createJsonRpcBackend({ url: "x", maxResponseBytes: 1 }), RangeError);
});

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
