import { type Outcome, valueOutcome } from "../../../src/rpc/backend.ts";
import { createHttpJsonBackend } from "../../../src/rpc/http/http_json.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { httpAnswer, type RawServer, rawServer, readRequest, write } from "../raw_server.ts";

const { signal } = new AbortController();
const MAX_BYTES = 10_000;

/** A server that answers each request by its path, and what it was asked. */
function serving(answers: (path: string) => Uint8Array): { server: RawServer; requests: string[] } {
  const requests: string[] = [];
  const server = rawServer(async (conn) => {
    for (;;) {
      const request = await readRequest(conn);
      if (request === undefined) return;
      requests.push(request);
      await write(conn, answers(request.split(" ")[1] ?? ""));
    }
  });
  return { server, requests };
}

function redirect(to: string, status = "302 Found"): Uint8Array {
  return httpAnswer(status, "", `Location: ${to}\r\n`);
}

async function callAt(url: string, method = "m", params?: unknown): Promise<Outcome> {
  const headers = { authorization: "Bearer secret", "x-api-key": "secret" };
  await using backend = createHttpJsonBackend({ url, headers, maxResponseBytes: MAX_BYTES });
  return await backend.call({ method, params }, { signal });
}

const outcomes: [name: string, answer: Uint8Array, expected: Outcome][] = [
  ["an object", httpAnswer("200 OK", `{"a":1}`), valueOutcome({ a: 1 })],
  ["null", httpAnswer("200 OK", "null"), valueOutcome(null)],
  [
    "JSON of another content type",
    httpAnswer("200 OK", "[1]", "Content-Type: text/plain\r\n"),
    valueOutcome([1]),
  ],
  ["JSON with 201", httpAnswer("201 x", "1"), valueOutcome(1)],
  ["an empty body", httpAnswer("200 OK", " \n"), {
    kind: "unavailable",
    reason: "the answer is empty, not JSON",
  }],
  ["HTML", httpAnswer("200 OK", "<p>", "Content-Type: text/html\r\n"), {
    kind: "unavailable",
    reason: "the answer is not JSON but text/html",
  }],
  ["a body too large", httpAnswer("200 OK", `"${"x".repeat(MAX_BYTES)}"`), {
    kind: "unavailable",
    reason: "the answer is larger than 10000 bytes",
  }],
  ["a 404", httpAnswer("404 x", "{}"), { kind: "rejected", reason: "HTTP 404 Not Found: {}" }],
  ["a 429", httpAnswer("429 x", "{}"), {
    kind: "unavailable",
    reason: "HTTP 429 Too Many Requests: {}",
  }],
  ["a 503", httpAnswer("503 x", "{}"), {
    kind: "unavailable",
    reason: "HTTP 503 Service Unavailable: {}",
  }],
  ["a 304", httpAnswer("304 x", ""), { kind: "rejected", reason: "HTTP 304 Not Modified" }],
];
for (const [name, answer, expected] of outcomes) {
  Deno.test(`createHttpJsonBackend() makes of ${name}: ${expected.kind}`, async () => {
    const { server } = serving(() => answer);
    await using _server = server;
    assertEquals(await callAt(server.url), expected);
  });
}

Deno.test("createHttpJsonBackend() gets the URL with the method and its headers", async () => {
  const { server, requests } = serving(() => httpAnswer("200 OK", "1"));
  await using _server = server;
  await callAt(`${server.url}api/`, "/disks", { all: true });
  const [request = ""] = requests;
  assert(request.startsWith("GET /api/disks?all=true HTTP/1.1\r\n"), request);
  for (
    const header of [
      "authorization: Bearer secret",
      "x-api-key: secret",
      "accept: application/json",
    ]
  ) {
    assert(request.includes(`\r\n${header}\r\n`), `${header} is not in ${request}`);
  }
});

Deno.test("createHttpJsonBackend() rejects params that are no object, without asking", async () => {
  const { server, requests } = serving(() => httpAnswer("200 OK", "1"));
  await using _server = server;
  const outcome = await callAt(server.url, "m", [1]);
  assertEquals(outcome.kind, "rejected");
  assertEquals(requests.length, 0);
});

Deno.test("createHttpJsonBackend() follows redirects within the origin with its headers", async () => {
  const { server, requests } = serving((path) => {
    return path === "/m"
      ? redirect("/b")
      : path === "/b"
      ? redirect("c", "308 x")
      : httpAnswer("200 OK", "1");
  });
  await using _server = server;
  assertEquals(await callAt(server.url), valueOutcome(1));
  assertEquals(requests.map((each) => each.split(" ")[1]), ["/m", "/b", "/c"]);
  assert(requests.every((each) => each.includes("x-api-key: secret")));
});

Deno.test("createHttpJsonBackend() takes no header along to another origin, nor back", async () => {
  const home = serving((path) =>
    path === "/m" ? redirect(away.server.url) : httpAnswer("200 OK", "1")
  );
  const away = serving(() => redirect(`${home.server.url}end`));
  await using _home = home.server;
  await using _away = away.server;
  assertEquals(await callAt(home.server.url), valueOutcome(1));
  const later = [...away.requests, ...home.requests.slice(1)];
  assertEquals(later.length, 2);
  for (const request of later) assert(!request.includes("secret"), request);
});

Deno.test("createHttpJsonBackend() takes no user and password from a redirect", async () => {
  const { server, requests } = serving((path) => {
    const withUser = server.url.replace("//", "//u:p@");
    return path === "/m" ? redirect(`${withUser}end`) : httpAnswer("200 OK", "1");
  });
  await using _server = server;
  await using backend = createHttpJsonBackend({ url: server.url, maxResponseBytes: MAX_BYTES });
  const outcome = await backend.call({ method: "m" }, { signal });
  assertEquals(outcome, valueOutcome(1));
  assertEquals(requests.length, 2);
  assert(!requests[1]?.includes("authorization"), requests[1]);
});

Deno.test("createHttpJsonBackend() gives up on a circle of redirects", async () => {
  const { server, requests } = serving(() => redirect("/m"));
  await using _server = server;
  assertEquals(await callAt(server.url), {
    kind: "rejected",
    reason: "redirected more than 5 times",
  });
  assertEquals(requests.length, 6);
});

Deno.test("createHttpJsonBackend() follows no redirect to nowhere or to another scheme", async () => {
  for (const to of ["ftp://127.0.0.1/", "file:///etc/passwd", "http://"]) {
    const { server } = serving(() => redirect(to));
    await using _server = server;
    assertEquals(await callAt(server.url), {
      kind: "rejected",
      reason: "HTTP 302 Found: it does not say where else to look",
    });
  }
  const { server } = serving(() => httpAnswer("301 x", ""));
  await using _server = server;
  assertEquals((await callAt(server.url)).kind, "rejected");
});

Deno.test("createHttpJsonBackend() throws the reason of a signal aborted between redirects", async () => {
  const abort = new AbortController();
  const { server, requests } = serving(() => {
    abort.abort("enough");
    return redirect("/m");
  });
  await using _server = server;
  await using backend = createHttpJsonBackend({ url: server.url, maxResponseBytes: MAX_BYTES });
  const call = backend.call({ method: "m" }, { signal: abort.signal });
  assertEquals(await call.catch((reason) => reason), "enough");
  assertEquals(requests.length, 1);
});

Deno.test("createHttpJsonBackend() throws if an option is out of range", () => {
  const url = "http://127.0.0.1/";
  assertThrows(() => createHttpJsonBackend({ url, maxResponseBytes: NaN }), RangeError);
  assertThrows(() => createHttpJsonBackend({ url: "ws://h/", maxResponseBytes: 1 }), RangeError);
});
