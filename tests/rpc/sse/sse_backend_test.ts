import type { Outcome, StreamEnd, StreamingBackend } from "../../../src/rpc/backend.ts";
import { createSseBackend, type SseOptions } from "../../../src/rpc/sse/sse_backend.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../support/assert.ts";
import { closedPort, type RawServer, rawServer, readRequest, write } from "../raw_server.ts";

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

/** What a server is told, and what it sends: one entry a connection, the last one for the rest. */
function sseServer(...scripts: ((conn: Deno.Conn) => Promise<unknown>)[]) {
  const requests: string[] = [];
  const server = rawServer(async (conn) => {
    const request = await readRequest(conn);
    if (request === undefined) return;
    requests.push(request);
    await (scripts[requests.length - 1] ?? scripts.at(-1))?.(conn);
  });
  return { server, requests };
}

function sends(...texts: (string | Uint8Array)[]): RawServer {
  return sseServer(async (conn) => {
    for (const text of texts) await write(conn, text);
  }).server;
}

function backendOf(url: string, options: Partial<SseOptions> = {}): StreamingBackend {
  return createSseBackend({ url, maxResponseBytes: 100_000, ...options });
}

function stream(backend: StreamingBackend, method = "feed", params: unknown = {}) {
  const { signal } = new AbortController();
  return backend.stream({ method, params, stream: true }, { signal });
}

/** Reads a stream to its end, waiting for each message to be read. */
async function readAll(
  events: ReturnType<StreamingBackend["stream"]>,
  onOutcome: (outcome: Outcome) => void | Promise<void> = () => {},
): Promise<{ outcomes: Outcome[]; isOpen: boolean; end: StreamEnd }> {
  const outcomes: Outcome[] = [];
  let isOpen = false;
  for (;;) {
    const { value: event, done } = await events.next();
    if (done) return { outcomes, isOpen, end: event };
    isOpen = true;
    if (event.kind === "opened") continue;
    const outcome = await event.read();
    outcomes.push(outcome);
    await onOutcome(outcome);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("SseBackend gives the data of each event as it was written", async () => {
  const { server, requests } = sseServer(async (conn) => {
    await write(conn, HEAD);
    for (const text of [": hello\n\n", 'data: {"n":\ndata: 9007199254740993}\r\n\r\n']) {
      await write(conn, text);
    }
    await pause(30);
    await write(conn, "event: other\rdata: 1e999\r\r");
  });
  await using _server = server;
  await using backend = backendOf(`${server.url}api/`, { headers: { authorization: "Bearer x" } });
  const { outcomes, isOpen, end } = await readAll(stream(backend, "/feed?a=1", { b: 2 }));
  assertEquals(outcomes.map((each) => each.kind === "ok" && each.value as string), [
    '{"n":9007199254740993}',
    "1e999",
  ]);
  assertEquals([isOpen, end], [true, { kind: "unavailable", reason: "the stream ended" }]);
  assertMatch(requests[0] ?? "", /^GET \/api\/feed\?a=1&b=2 HTTP\/1.1/);
  assertMatch(requests[0] ?? "", /accept: text\/event-stream/i);
  assertMatch(requests[0] ?? "", /authorization: Bearer x/i);
  assertMatch(requests[0] ?? "", /accept-encoding: identity/i);
});

Deno.test("SseBackend says on the next stream which event was the last, and waits as told", async () => {
  const { server, requests } = sseServer(
    (conn) => write(conn, `${HEAD}retry: 7000\nid: 1\ndata: 1\n\nid: é 2\ndata: 2\n\n`),
    (conn) => write(conn, `${HEAD}data: 3\n\nid\ndata: 4\n\n`),
    (conn) => write(conn, `${HEAD}id: a\u0001b\nretry: 999999999999\ndata: 5\n\n`),
    (conn) => write(conn, HEAD),
  );
  await using _server = server;
  await using backend = backendOf(server.url);
  const ends: StreamEnd[] = [];
  for (let at = 0; at < 4; at++) ends.push((await readAll(stream(backend))).end);
  const ids = requests.map((request) => /last-event-id: (.*)\r/i.exec(request)?.[1]);
  // As UTF-8, which the test's reader decodes; forgotten by an empty id; one that no header can
  // carry changes nothing.
  assertEquals(ids, [undefined, "é 2", undefined, undefined]);
  assertEquals(ends.map((end) => "reopenAfterMs" in end && end.reopenAfterMs), [
    7000,
    7000,
    300_000,
    300_000,
  ]);
  // Another address has a place of its own.
  await readAll(stream(backend, "other"));
  assert(!/last-event-id/i.test(requests[4] ?? ""));
});

Deno.test("SseBackend takes what is no event stream for what it is", async () => {
  const answers: [string, RegExp][] = [
    [
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n",
      /unavail.*HTTP 503.*retryAfterMs":9000/,
    ],
    ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", /rejected.*HTTP 404 Not Found/],
    ["HTTP/1.1 204 No Content\r\n\r\n", /rejected.*no stream any more/],
    [
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
      /rejected.*HTTP 302.*follows no redirects/,
    ],
    [
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
      /unavail.*not an event stream but text\/html/,
    ],
    [
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
      /unavail.*compressed/,
    ],
    ["nonsense\r\n\r\n", /unavail.*not HTTP/],
    ["", /unavail.*closed before/],
    [
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: 1",
      /unavail.*closed before/,
    ],
  ];
  for (const [answer, expected] of answers) {
    await using server = sends(answer);
    await using backend = backendOf(server.url);
    const { end } = await readAll(stream(backend));
    assertMatch(JSON.stringify(end), expected);
  }
  await using nobody = backendOf(`http://127.0.0.1:${closedPort()}/`);
  assertEquals((await readAll(stream(nobody))).end, {
    kind: "unavailable",
    reason: "connection refused",
  });
});

Deno.test("SseBackend: data that is not JSON is unavailable, however it is wrong", async () => {
  const deep = "[".repeat(2000) + "]".repeat(2000);
  await using server = sends(HEAD, "data: ping\n\n");
  await using backend = backendOf(server.url);
  const first = await readAll(stream(backend));
  assertMatch(JSON.stringify(first.outcomes), /unavailable.*event is not JSON/);
  await using deepServer = sends(HEAD, `data: ${deep}\n\n`);
  await using deepBackend = backendOf(deepServer.url);
  const second = await readAll(stream(deepBackend));
  assertMatch(JSON.stringify(second.outcomes), /unavailable.*nested too deep/);
  await using bytesServer = sends(HEAD, new Uint8Array([100, 97, 116, 97, 58, 0xff, 0xfe, 10, 10]));
  await using bytesBackend = backendOf(bytesServer.url);
  assertMatch(JSON.stringify(await readAll(stream(bytesBackend))), /unavailable.*not UTF-8/);
});

Deno.test("SseBackend bounds an event, of one line without end or of many", async () => {
  const endless = (start: string, piece: string) =>
    sseServer(async (conn) => {
      await write(conn, HEAD + start);
      for (;;) await write(conn, piece);
    }).server;
  for (const server of [endless("data: ", "x".repeat(5000)), endless("", "data: xxxxxxxxx\n")]) {
    await using _server = server;
    await using backend = backendOf(server.url);
    const { end } = await readAll(stream(backend));
    assertEquals(end, { kind: "unavailable", reason: "an event is larger than 100000 bytes" });
  }
});

Deno.test("SseBackend leaves out what is not taken in time, and lets a flood block nobody", async () => {
  const MESSAGES = 200_000;
  const { server } = sseServer(async (conn) => {
    await write(conn, HEAD);
    for (let from = 1; from <= MESSAGES; from += 1000) {
      const events = Array.from({ length: 1000 }, (_, at) => `data: ${from + at}\n\n`);
      await write(conn, events.join(""));
    }
  });
  await using _server = server;
  await using backend = backendOf(server.url);
  const seen: number[] = [];
  await readAll(stream(backend), async (outcome) => {
    seen.push(Number(outcome.kind === "ok" && outcome.value));
    await pause(10);
  });
  assertEquals(seen.at(-1), MESSAGES);
  assert(seen.length < MESSAGES / 100, `${seen.length} of ${MESSAGES} were read`);
});

Deno.test("SseBackend ends its stream when it is given up, by signal and by its reader", async () => {
  let gone = 0;
  const { server } = sseServer(async (conn) => {
    await write(conn, `${HEAD}data: 1\n\n`);
    try {
      for (;;) {
        await pause(10);
        await write(conn, ": here\n\n");
      }
    } finally {
      gone += 1;
    }
  });
  await using _server = server;
  await using backend = backendOf(server.url);
  const controller = new AbortController();
  const { signal } = controller;
  const first = backend.stream({ method: "feed" }, { signal });
  await first.next();
  await first.next();
  controller.abort(new Error("enough"));
  await assertRejects(() => first.next(), Error, "enough");
  const second = stream(backend);
  await second.next();
  await second.next();
  await second.return({ kind: "unavailable", reason: "left" });
  while (gone < 2) await pause(10);
  await assertRejects(
    () => backend.stream({ method: "feed" }, { signal }).next(),
    Error,
    "enough",
  );
});

Deno.test("SseBackend ends its streams when it is closed, and opens no more", async () => {
  const { server } = sseServer(async (conn) => {
    await write(conn, HEAD);
    for (;;) {
      await pause(10);
      await write(conn, ": here\n\n");
    }
  });
  await using _server = server;
  const backend = backendOf(server.url);
  const events = stream(backend);
  await events.next();
  const rest = readAll(events);
  await backend[Symbol.asyncDispose]();
  assertEquals((await rest).end.kind, "unavailable");
  assertMatch(JSON.stringify(await readAll(stream(backend))), /unavailable.*backend was closed/);
});

Deno.test("SseBackend.call() tells whether an address answers with success", async () => {
  await using good = sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  await using bad = sends("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
  const { signal } = new AbortController();
  await using one = backendOf(good.url);
  await using two = backendOf(bad.url);
  assertEquals((await one.call({ method: "healthz" }, { signal })).kind, "ok");
  assertEquals((await two.call({ method: "healthz" }, { signal })).kind, "unavailable");
});

Deno.test("createSseBackend() shows no secret where it fails", async () => {
  await using backend = backendOf(
    `http://user:s3cret@127.0.0.1:${closedPort()}/?key=longenoughtohide`,
  );
  const text = JSON.stringify(await readAll(stream(backend))) + backend.describe?.({ method: "x" });
  assert(!/s3cret|longenough/.test(text), text);
});
