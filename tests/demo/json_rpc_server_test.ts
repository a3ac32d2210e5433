import { failure, type Method, RPC_CODE, value } from "../../src/demo/answer.ts";
import { answerRpc, MAX_BATCH, methodsOf, parseRpc } from "../../src/demo/json_rpc_server.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

const METHODS = new Map<string, Method>([
  ["Echo", (params) => value(params ?? "nothing")],
  ["Fail", () => failure(RPC_CODE.invalidParams, "Invalid params: none are right")],
  ["Throw", () => {
    throw new Error("the password is hunter2");
  }],
]);

async function ask(text: string): Promise<unknown> {
  const { signal } = new AbortController();
  const body = await answerRpc(parseRpc(text), { methods: METHODS, signal });
  return body === undefined ? undefined : JSON.parse(body);
}

async function codeOf(text: string): Promise<[unknown, unknown]> {
  const reply = await ask(text) as { id: unknown; error?: { code: number } };
  return [reply.error?.code, reply.id];
}

function request(fields: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 7, method: "Echo", ...fields });
}

Deno.test("answerRpc() gives results under the request's id", async () => {
  const result = { jsonrpc: "2.0", id: 7, result: { a: 1 } };
  assertEquals(await ask(request({ params: { a: 1 } })), result);
  assertEquals(await ask(request({ id: "x", params: [] })), {
    jsonrpc: "2.0",
    id: "x",
    result: [],
  });
});

Deno.test("answerRpc() answers what is wrong with the codes of the specification", async () => {
  assertEquals(await codeOf("{"), [-32700, null]);
  assertEquals(await codeOf(""), [-32700, null]);
  for (const text of ["1", "null", "[]", `"x"`, "{}", `{"id":1,"method":"Echo"}`]) {
    assertEquals(await codeOf(text), [-32600, null], text);
  }
  for (const wrong of [{ method: 1 }, { params: 1 }, { params: null }, { id: {} }, { id: true }]) {
    assertEquals(await codeOf(request(wrong)), [-32600, null], JSON.stringify(wrong));
  }
  assertEquals(await codeOf(`{"jsonrpc":"2.0","id":1e999,"method":"Echo"}`), [-32600, null]);
  assertEquals(await codeOf(request({ method: "echo" })), [-32601, 7]);
  assertEquals(await codeOf(request({ method: "Fail" })), [-32602, 7]);
});

Deno.test("answerRpc() names the methods there are, and bounds what it repeats", async () => {
  const reply = await ask(request({ method: "x".repeat(1000) })) as { error: { message: string } };
  assertMatch(reply.error.message, /^Method not found: "x{80}…"; there are Echo, Fail, Throw$/);
});

Deno.test("answerRpc() tells nothing of what a method throws", async () => {
  const reply = await ask(request({ method: "Throw" }));
  const error = { code: -32603, message: "Internal error; the backend's log says why" };
  assertEquals(reply, { jsonrpc: "2.0", id: 7, error });
});

Deno.test("answerRpc() says nothing to notifications, right or wrong", async () => {
  assertEquals(await ask(`{"jsonrpc":"2.0","method":"Echo"}`), undefined);
  assertEquals(await ask(`{"jsonrpc":"2.0","method":"Nowhere"}`), undefined);
  assertEquals(await ask(`[{"jsonrpc":"2.0","method":"Echo"}]`), undefined);
});

Deno.test("answerRpc() answers a batch, one reply for each that wants one", async () => {
  const replies = await ask(
    `[${request({ id: 1 })}, 1, {"jsonrpc":"2.0","method":"Echo"}, ${request({ id: 2 })}]`,
  ) as { id: unknown; error?: { code: number } }[];
  assertEquals(replies.map(({ id, error }) => [id, error?.code]), [
    [1, undefined],
    [null, -32600],
    [2, undefined],
  ]);
});

Deno.test("parseRpc() refuses a batch that is too large as a whole", async () => {
  const batch = (size: number) => `[${Array(size).fill(request({})).join(",")}]`;
  assertEquals((await ask(batch(MAX_BATCH)) as unknown[]).length, MAX_BATCH);
  assertEquals(await codeOf(batch(MAX_BATCH + 1)), [-32600, null]);
});

Deno.test("methodsOf() names the methods that are called", () => {
  assertEquals(methodsOf(parseRpc(request({}))), ["Echo"]);
  assertEquals(methodsOf(parseRpc(`[{"method":"A"},{"method":1},3,{"method":"B"}]`)), ["A", "B"]);
  assertEquals(methodsOf(parseRpc("{")), []);
});
