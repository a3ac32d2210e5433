import type { Call } from "../../../src/rpc/backend.ts";
import { valueOutcome } from "../../../src/rpc/backend.ts";
import { createHttpJsonBackend, type HttpJsonOptions } from "../../../src/rpc/http/http_json.ts";
import { maskedBackend, secretsIn } from "../../../src/rpc/masked_backend.ts";
import { createJsonRpcBackend } from "../../../src/rpc/http/json_rpc.ts";
import { assert, assertEquals, assertStringIncludes } from "../../support/assert.ts";

const { signal } = new AbortController();

/** What `http-json` users have: a server of the runtime's, on a port of its choice. */
function serving(answer: (request: Request, body: string) => Response | Promise<Response>) {
  const requests: { method: string; url: string; headers: Headers; body: string }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.text();
      const { method, url, headers } = request;
      requests.push({ method, url, headers, body });
      return await answer(request, body);
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return { url, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function callOn(url: string, call: Call, options: Partial<HttpJsonOptions> = {}) {
  await using backend = createHttpJsonBackend({ url, maxResponseBytes: 10_000, ...options });
  return await backend.call(call, { signal });
}

Deno.test("http-json posts the params as a JSON body, with the source's own headers", async () => {
  await using server = serving((_, body) => Response.json(JSON.parse(body)));
  const call: Call = {
    method: "search?page=1",
    params: { q: "disks", limit: 5 },
    httpMethod: "POST",
    headers: { "x-tenant": "blue", accept: "application/vnd.x+json" },
  };
  const outcome = await callOn(server.url, call, {
    headers: { "x-tenant": "red", "x-key": "kkkk" },
  });
  assertEquals(outcome, valueOutcome({ q: "disks", limit: 5 }));
  const [asked] = server.requests;
  assert(asked);
  const { method, url, headers } = asked;
  assertEquals([method, new URL(url).pathname + new URL(url).search], ["POST", "/search?page=1"]);
  assertEquals(
    ["x-tenant", "x-key", "accept", "content-type"].map((name) => headers.get(name)),
    ["blue", "kkkk", "application/vnd.x+json", "application/json"],
  );
});

Deno.test("http-json asks with If-None-Match, and 304 is the same value", async () => {
  let etag = '"1"';
  await using server = serving(({ headers }) =>
    headers.get("if-none-match") === etag
      ? new Response(null, { status: 304 })
      : new Response(`{"n":12345678901234567890}`, { headers: { etag } })
  );
  await using backend = createHttpJsonBackend({ url: server.url, maxResponseBytes: 10_000 });
  const ask = (method: string) => backend.call({ method }, { signal });
  const first = await ask("a");
  const second = await ask("a");
  assert(first.kind === "ok" && second.kind === "ok");
  assertEquals<string[]>([first.value, second.value], Array(2).fill(`{"n":12345678901234567890}`));
  await ask("b");
  etag = '"2"';
  await ask("a");
  assertEquals(server.requests.map(({ headers }) => headers.get("if-none-match")), [
    null,
    '"1"',
    null,
    '"1"',
  ]);
});

Deno.test("http-json takes a 304 that it did not ask for as no value", async () => {
  await using server = serving(() => new Response(null, { status: 304 }));
  assertEquals((await callOn(server.url, { method: "a" })).kind, "rejected");
});

Deno.test("http-json follows redirects within the host, elsewhere only if allowed", async () => {
  await using away = serving(() => Response.json("away"));
  // Another name of this machine: another host, as far as a URL tells.
  const awayUrl = away.url.replace("127.0.0.1", "localhost");
  await using server = serving(({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/near") return Response.redirect(new URL("/end", url), 302);
    return pathname === "/far"
      ? Response.redirect(`${awayUrl}x?secret=1`, 302)
      : Response.json("home");
  });
  const secret = { headers: { "x-key": "s3cret" } };
  assertEquals(await callOn(server.url, { method: "near" }, secret), valueOutcome("home"));
  const refused = await callOn(server.url, { method: "far" }, secret);
  assertEquals(refused, {
    kind: "rejected",
    reason:
      `HTTP 302 Found: it leads to ${awayUrl}x, which "redirects": "same_host" does not allow`,
  });
  assertEquals(away.requests.length, 0);
  const nowhere = await callOn(server.url, { method: "near" }, { redirects: "none" });
  assertEquals(nowhere.kind, "rejected");
});

Deno.test("http-json repeats no POST where a redirect asks for a GET", async () => {
  await using server = serving(({ url }) =>
    new URL(url).pathname === "/a"
      ? Response.redirect(new URL("/b", url), 302)
      : new URL(url).pathname === "/c"
      ? Response.redirect(new URL("/d", url), 307)
      : Response.json("end")
  );
  const post = (method: string): Call => ({ method, httpMethod: "POST", params: { x: 1 } });
  assertEquals((await callOn(server.url, post("a"))).kind, "rejected");
  assertEquals(await callOn(server.url, post("c")), valueOutcome("end"));
  assertEquals(server.requests.map(({ method, body }) => `${method} ${body}`), [
    'POST {"x":1}',
    'POST {"x":1}',
    'POST {"x":1}',
  ]);
});

Deno.test("a failure shows 200 characters of what the backend said, and none of our secrets", async () => {
  const password = "pass word";
  await using server = serving(({ headers, url }) =>
    new Response(
      `denied\n\u0007 for ${headers.get("authorization")} ${password} ${
        headers.get("x-key")
      } ${url} ${"y".repeat(900)}`,
      { status: 403 },
    )
  );
  const url = server.url.replace("//", `//me:${encodeURIComponent(password)}@`);
  const options = { url, maxResponseBytes: 10_000, headers: { "x-key": "key-0123456789" } };
  const secrets = secretsIn(options.headers, [url]);
  await using rest = maskedBackend(createHttpJsonBackend(options), secrets);
  const outcome = await rest.call({ method: "a?api_key=abcdefghijklmnop" }, { signal });
  assert(outcome.kind === "rejected");
  assertStringIncludes(
    outcome.reason,
    "HTTP 403 Forbidden: denied for Basic … … … http://127.0.0.1",
  );
  for (const secret of [password, "key-0123456789", btoa(`me:${password}`), "abcdefghijklmnop"]) {
    assert(!outcome.reason.includes(secret), outcome.reason);
  }
  assert(outcome.reason.length < 300);
  await using rpc = maskedBackend(createJsonRpcBackend(options), secrets);
  const answered = await rpc.call({ method: "m" }, { signal });
  assert(answered.kind === "rejected" && !answered.reason.includes("key-0123456789"));
});

Deno.test("describe() names method and address, without credentials and query", async () => {
  const url = "http://me:pw@api.example/v1/?key=s3cret";
  await using rest = createHttpJsonBackend({ url, maxResponseBytes: 1 });
  assertEquals(rest.describe?.({ method: "disks?x=1" }), "GET http://api.example/v1/disks");
  await using rpc = createJsonRpcBackend({ url, maxResponseBytes: 1 });
  assertEquals(rpc.describe?.({ method: "Get" }), "POST http://api.example/v1/ Get");
});

Deno.test("Retry-After of a 429 and a 503 is told, as seconds and as a date", async () => {
  let headers: Record<string, string> = { "retry-after": "120" };
  let status = 429;
  await using server = serving(() => new Response(null, { status, headers }));
  const outcome = () => callOn(server.url, { method: "a" });
  assertEquals(await outcome(), {
    kind: "unavailable",
    reason: "HTTP 429 Too Many Requests",
    retryAfterMs: 120_000,
  });
  status = 503;
  headers = { "retry-after": new Date(Date.now() + 60_000).toUTCString() };
  const dated = await outcome();
  assert(dated.kind === "unavailable" && dated.retryAfterMs !== undefined);
  assert(dated.retryAfterMs > 50_000 && dated.retryAfterMs < 70_000, `${dated.retryAfterMs}`);
  for (const value of ["0", "soon", "-5"]) {
    headers = { "retry-after": value };
    assertEquals(await outcome(), {
      kind: "unavailable",
      reason: "HTTP 503 Service Unavailable",
    }, value);
  }
  status = 500;
  headers = { "retry-after": "120" };
  assert(!("retryAfterMs" in await outcome()));
});
