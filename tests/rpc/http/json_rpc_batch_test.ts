import { type Outcome, valueOutcome } from "../../../src/rpc/backend.ts";
import { createJsonRpcBackend } from "../../../src/rpc/http/json_rpc.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../support/assert.ts";

const { signal } = new AbortController();

interface RpcCall {
  readonly id: number;
  readonly method: string;
}

/** A JSON-RPC server that answers whole bodies, and what it was sent. */
function rpcServer(answer: (body: RpcCall | RpcCall[]) => Response | Promise<Response>) {
  const bodies: (RpcCall | RpcCall[])[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.json();
      bodies.push(body);
      return await answer(body);
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return { url, bodies, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function callAll(url: string, methods: readonly string[]): Promise<Outcome[]> {
  await using backend = createJsonRpcBackend({ url, maxResponseBytes: 100_000, batch: true });
  return await Promise.all(methods.map((method) => backend.call({ method }, { signal })));
}

const result = ({ id, method }: RpcCall) => ({ jsonrpc: "2.0", id, result: method });
const list = (body: RpcCall | RpcCall[]) => Array.isArray(body) ? body : [body];

Deno.test("batch: calls made together share one request, answered in any order", async () => {
  await using server = rpcServer((body) => Response.json(list(body).map(result).reverse()));
  const methods = Array.from({ length: 30 }, (_, index) => `m${index}`);
  assertEquals(await callAll(server.url, methods), methods.map(valueOutcome));
  assertEquals(server.bodies.map((body) => list(body).length), [30]);
});

Deno.test("batch: a number stays as it was written", async () => {
  await using server = rpcServer((body) =>
    new Response(
      `[${
        list(body).map(({ id }) => `{"id":${id}, "jsonrpc":"2.0", "result": 1764000000123456789 }`)
      }]`,
    )
  );
  const outcomes = await callAll(server.url, ["a", "b"]);
  assertEquals(outcomes.map((each) => each.kind === "ok" && String(each.value)), [
    "1764000000123456789",
    "1764000000123456789",
  ]);
});

Deno.test("batch: errors are their own calls' alone, and a call that is left out is told", async () => {
  await using server = rpcServer((body) =>
    Response.json(
      list(body).flatMap(({ id, method }): object[] => {
        if (method === "none") return [];
        return method === "bad"
          ? [{ jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } }]
          : [result({ id, method })];
      }),
    )
  );
  assertEquals(await callAll(server.url, ["a", "bad", "none", "b"]), [
    valueOutcome("a"),
    { kind: "rejected", reason: "JSON-RPC error -32601: Method not found" },
    { kind: "unavailable", reason: "the answer to the batch has none for this call" },
    valueOutcome("b"),
  ]);
});

Deno.test("batch: one call goes as a request of its own", async () => {
  await using server = rpcServer((body) => Response.json(result(list(body)[0] as RpcCall)));
  assertEquals(await callAll(server.url, ["a"]), [valueOutcome("a")]);
  assertEquals(Array.isArray(server.bodies[0]), false);
});

Deno.test("batch: a server that knows no batches is named as such", async () => {
  const error = { code: -32600, message: "Invalid Request" };
  await using server = rpcServer(() => Response.json({ jsonrpc: "2.0", id: null, error }));
  const expected: Outcome = {
    kind: "rejected",
    reason:
      `the server takes no batches: set "batch": false (JSON-RPC error -32600: Invalid Request)`,
  };
  assertEquals(await callAll(server.url, ["a", "b"]), [expected, expected]);
  await using web = rpcServer(() => new Response("no lists", { status: 400 }));
  for (const outcome of await callAll(web.url, ["a", "b"])) {
    assert(outcome.kind === "rejected");
    assertStringIncludes(
      outcome.reason,
      `HTTP 400 Bad Request: no lists (perhaps the server takes`,
    );
  }
});

Deno.test("batch: a failed request is every call's failure", async () => {
  await using server = rpcServer(() => new Response("busy", { status: 502 }));
  const expected: Outcome = { kind: "unavailable", reason: "HTTP 502 Bad Gateway: busy" };
  assertEquals(await callAll(server.url, ["a", "b"]), [expected, expected]);
});

Deno.test("batch: a call given up leaves the others alone; the last one ends the request", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { promise: answer, resolve: release } = Promise.withResolvers<void>();
  await using server = rpcServer(async (body) => {
    resolve();
    await answer;
    return Response.json(list(body).map(result));
  });
  await using backend = createJsonRpcBackend({
    url: server.url,
    maxResponseBytes: 100_000,
    batch: true,
  });
  const stop = new AbortController();
  const given = backend.call({ method: "a" }, { signal: stop.signal });
  const kept = backend.call({ method: "b" }, { signal });
  await asked;
  stop.abort(new Error("enough"));
  await assertRejects(() => given, Error, "enough");
  release();
  assertEquals(await kept, valueOutcome("b"));
});

Deno.test("batch: disposing ends what is gathered and what is under way", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { promise: answer, resolve: release } = Promise.withResolvers<void>();
  await using server = rpcServer(async () => {
    resolve();
    await answer;
    return Response.json([]);
  });
  const backend = createJsonRpcBackend({ url: server.url, maxResponseBytes: 99, batch: true });
  const under = backend.call({ method: "a" }, { signal });
  await asked;
  const gathered = backend.call({ method: "b" }, { signal });
  await backend[Symbol.asyncDispose]();
  const closed: Outcome = { kind: "unavailable", reason: "the backend was closed" };
  assertEquals(await Promise.all([under, gathered]), [closed, closed]);
  release();
});

Deno.test("batch: more calls than one request takes go in several", async () => {
  await using server = rpcServer((body) => Response.json(list(body).map(result)));
  const methods = Array.from({ length: 250 }, (_, index) => `m${index}`);
  assertEquals(await callAll(server.url, methods), methods.map(valueOutcome));
  assertEquals(server.bodies.map((body) => list(body).length).sort((a, b) => a - b), [
    50,
    100,
    100,
  ]);
});
