import { HttpClient, type HttpRequest } from "../../../src/rpc/http/http_client.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../support/assert.ts";
import { gzip, httpAnswer, rawServer, readRequest, untilClosed, write } from "../raw_server.ts";

const { signal } = new AbortController();

function post(url: string): HttpRequest {
  return {
    method: "POST",
    url: new URL(url),
    headers: new Headers(),
    body: "{}",
  };
}

Deno.test("HttpClient.ask() gives an answer whatever its status, and follows no redirect", async () => {
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    await write(
      conn,
      httpAnswer("307 x", "no", "Location: /a\r\nContent-Type: Text/Plain; a=b\r\n"),
    );
  });
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  const answer = await peer.ask(post(server.url), { signal });
  assert(answer.kind === "answer");
  const { status, mediaType, headers, body } = answer;
  assertEquals([status, mediaType, headers.get("location")], [307, "Text/Plain", "/a"]);
  assertEquals(body, { kind: "text", text: "" }, "nobody needs it");
  assertEquals(server.accepted, 1);
});

Deno.test("HttpClient.ask() waits but a moment for an error's body", async () => {
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    await write(conn, "HTTP/1.1 500 x\r\nContent-Length: 99\r\n\r\nfull");
    await untilClosed(conn);
  });
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  const answer = await peer.ask(post(server.url), { signal });
  assert(answer.kind === "answer");
  assertEquals([answer.status, answer.body], [500, { kind: "text", text: "full" }]);
});

const stalls: [name: string, head: string][] = [
  ["before the answer", ""],
  ["in the head", "HTTP/1.1 200 OK\r\nContent-"],
  ["in the body", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"],
];
for (const [name, head] of stalls) {
  Deno.test(`HttpClient.ask() aborted ${name} throws the reason and closes the connection`, async () => {
    const stalled = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    await using server = rawServer(async (conn) => {
      await readRequest(conn);
      await write(conn, head);
      stalled.resolve();
      await untilClosed(conn);
      closed.resolve();
    });
    await using peer = new HttpClient({ maxResponseBytes: 100 });
    const abort = new AbortController();
    const asking = peer.ask(post(server.url), { signal: abort.signal });
    await stalled.promise;
    const reason = new Error("enough");
    abort.abort(reason);
    assertEquals(await assertRejects(() => asking), reason);
    await closed.promise;
  });
}

Deno.test("HttpClient.ask() aborted during a slow drip throws the reason", async () => {
  const dripped = Promise.withResolvers<void>();
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    await write(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let drops = 0;; drops++) {
      await write(conn, "1\r\nx\r\n");
      if (drops === 3) dripped.resolve();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  await using peer = new HttpClient({ maxResponseBytes: 1_000_000 });
  const abort = new AbortController();
  const asking = peer.ask(post(server.url), { signal: abort.signal });
  await dripped.promise;
  abort.abort("enough");
  assertEquals(await asking.catch((reason) => reason), "enough");
});

Deno.test("HttpClient.ask() sends nothing with a signal that is aborted already", async () => {
  await using server = rawServer(readRequest);
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  const reason = new Error("too late");
  const error = await assertRejects(() =>
    peer.ask(post(server.url), { signal: AbortSignal.abort(reason) })
  );
  assertEquals(error, reason);
  assertEquals(server.accepted, 0);
});

Deno.test("HttpClient.ask() stops a body without announced length at the bound", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    await write(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(65536)}\r\n`;
    try {
      for (;;) await write(conn, chunk);
    } catch {
      closed.resolve();
    }
  });
  await using peer = new HttpClient({ maxResponseBytes: 100_000 });
  const answer = await peer.ask(post(server.url), { signal });
  assert(answer.kind === "answer");
  assertEquals(answer.body, {
    kind: "unavailable",
    reason: "the answer is larger than 100000 bytes",
  });
  await closed.promise;
});

Deno.test("HttpClient.ask() stops a gzip bomb at the bound", async () => {
  const bomb = await gzip(new Uint8Array(20_000_000));
  assert(bomb.length < 100_000);
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    await write(conn, httpAnswer("200 OK", bomb, "Content-Encoding: gzip\r\n"));
  });
  await using peer = new HttpClient({ maxResponseBytes: 100_000 });
  const answer = await peer.ask(post(server.url), { signal });
  assert(answer.kind === "answer" && answer.body.kind === "unavailable");
});

Deno.test("HttpClient.ask() uses a connection for one request only", async () => {
  await using server = rawServer(async (conn) => {
    while (await readRequest(conn) !== undefined) await write(conn, httpAnswer("200 OK", "{}"));
  });
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  for (let asked = 0; asked < 3; asked++) await peer.ask(post(server.url), { signal });
  assertEquals(server.accepted, 3);
});

Deno.test("HttpClient.ask() does not mind a server that closes after each answer", async () => {
  const answered = Promise.withResolvers<void>();
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    await write(conn, httpAnswer("200 OK", "{}")); // and closes, although it did not say so
    answered.resolve();
  });
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  for (let asked = 0; asked < 10; asked++) {
    const answer = await peer.ask(post(server.url), { signal });
    assertEquals(answer.kind, "answer", JSON.stringify(answer));
  }
  assertEquals(server.accepted, 10);
});

Deno.test("HttpClient.ask() finds a server again that was restarted on its port", async () => {
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  let port = 0;
  for (let life = 0; life < 5; life++) {
    const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, () => {
      return new Response(`${life}`);
    });
    port = server.addr.port;
    for (let asked = 0; asked < 2; asked++) {
      const answer = await peer.ask(post(`http://127.0.0.1:${port}/`), { signal });
      assert(answer.kind === "answer", JSON.stringify(answer));
      assertEquals(answer.body, { kind: "text", text: `${life}` });
    }
    await server.shutdown();
  }
});

Deno.test("HttpClient.ask() makes one call of a reset, also after an answer", async () => {
  let isUp = true;
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    if (isUp) await write(conn, httpAnswer("200 OK", "{}"));
  });
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  assertEquals((await peer.ask(post(server.url), { signal })).kind, "answer");
  isUp = false;
  for (let asked = 0; asked < 3; asked++) {
    assertEquals((await peer.ask(post(server.url), { signal })).kind, "unavailable");
  }
  assertEquals(server.accepted, 4);
});

Deno.test("HttpClient.ask() keeps answers apart that are asked for at once", async () => {
  await using server = rawServer(async (conn) => {
    for (;;) {
      const request = await readRequest(conn);
      if (request === undefined) return;
      await write(conn, httpAnswer("200 OK", request.split(" ")[1] ?? ""));
    }
  });
  await using peer = new HttpClient({ maxResponseBytes: 100 });
  const paths = Array.from({ length: 20 }, (_, each) => `/${each}`);
  const answers = await Promise.all(
    paths.map((path) => peer.ask(post(new URL(path, server.url).href), { signal })),
  );
  const texts = answers.map((each) => each.kind === "answer" && each.body);
  assertEquals(texts, paths.map((text) => ({ kind: "text" as const, text })));
});

Deno.test("HttpClient[Symbol.asyncDispose]() ends what is under way, and every later call", async () => {
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  await using server = rawServer(async (conn) => {
    await readRequest(conn);
    asked.resolve();
    await untilClosed(conn);
    closed.resolve();
  });
  const peer = new HttpClient({ maxResponseBytes: 100 });
  const asking = peer.ask(post(server.url), { signal });
  await asked.promise;
  await peer[Symbol.asyncDispose]();
  await peer[Symbol.asyncDispose]();
  const expected = { kind: "unavailable", reason: "the backend was closed" } as const;
  assertEquals(await asking, expected);
  assertEquals(await peer.ask(post(server.url), { signal }), expected);
  await closed.promise;
});

Deno.test("HttpClient() throws if 'maxResponseBytes' is not a positive integer", () => {
  for (const maxResponseBytes of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new HttpClient({ maxResponseBytes }), RangeError, "'maxResponseBytes'");
  }
});
