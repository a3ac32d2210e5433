import { createServer, Socket } from "node:net";
import { createJsonRpcBackend } from "../../src/rpc/http/json_rpc.ts";
import { transportFailure } from "../../src/rpc/transport_failure.ts";
import { assert, assertEquals } from "../support/assert.ts";
import {
  closedPort,
  httpAnswer,
  type RawServer,
  rawServer,
  replying,
  write,
} from "./raw_server.ts";
import { cert, key } from "./self_signed.ts";

/** A name no resolver need be asked for: a label has 63 letters at most. */
const TOO_LONG_A_LABEL = "x".repeat(64);

const SECRET = "hunter2";
const CLOSED = "the connection closed before the answer was complete";

/** The reason for which a call to this place is unavailable. */
async function reasonAt(url: string): Promise<string> {
  const secretive = new URL(url);
  secretive.username = "user";
  secretive.password = SECRET;
  secretive.search = `?token=${SECRET}`;
  await using backend = createJsonRpcBackend({ url: secretive.href, maxResponseBytes: 100_000 });
  const outcome = await backend.call({ method: "m" }, { signal: new AbortController().signal });
  assert(outcome.kind === "unavailable", JSON.stringify(outcome));
  assert(!outcome.reason.includes(SECRET) && !outcome.reason.includes("127.0.0.1"));
  return outcome.reason;
}

Deno.test("transportFailure() says that a connection was refused", async () => {
  assertEquals(await reasonAt(`http://127.0.0.1:${closedPort()}/`), "connection refused");
});

Deno.test("transportFailure() says that a name does not exist", async () => {
  assertEquals(await reasonAt(`http://${TOO_LONG_A_LABEL}.invalid/`), "name not found");
});

const misbehaving: [name: string, reason: string, make: () => RawServer][] = [
  ["a connection closed without an answer", CLOSED, () => replying()],
  ["a connection closed in the head", CLOSED, () => replying("HTTP/1.1 200 OK\r\nContent-")],
  [
    "a connection closed in the body",
    CLOSED,
    () => replying("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
  ],
  [
    "a connection closed in a chunk",
    CLOSED,
    () => replying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"),
  ],
  ["an answer that is not HTTP", "the answer is not HTTP", () => replying("SSH-2.0-x\r\n")],
  [
    "a head without end",
    "the answer's headers are too large",
    () => replying(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(900_000)}\r\n\r\n`),
  ],
  [
    "a body that is not gzip though it says so",
    "the compressed answer is damaged",
    () => replying(httpAnswer("200 OK", "{}!!!", "Content-Encoding: gzip\r\n")),
  ],
];
for (const [name, reason, make] of misbehaving) {
  Deno.test(`transportFailure() tells of ${name}`, async () => {
    await using server = make();
    assertEquals(await reasonAt(server.url), reason);
  });
}

for (
  const begun of [
    "",
    "HTTP/1.1 200 OK\r\nContent-",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
  ]
) {
  Deno.test({
    name: `transportFailure() tells of a reset after ${begun.length} bytes`,
    ignore: !("resetAndDestroy" in Socket.prototype), // only newer runtimes can send one
    async fn() {
      const { promise: seen, resolve } = Promise.withResolvers<void>();
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.on("close", () => resolve());
        socket.once("data", () => {
          if (begun === "") socket.resetAndDestroy();
          else socket.write(begun, () => socket.resetAndDestroy());
        });
      });
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
      const address = server.address();
      assert(address !== null && typeof address === "object");
      const reason = await reasonAt(`http://127.0.0.1:${address.port}/`);
      // What was written before a reset may get lost with it, or not.
      assert(["connection reset", CLOSED].includes(reason), reason);
      if (begun === "") assertEquals(reason, "connection reset");
      await seen;
      await new Promise((closed) => server.close(closed));
    },
  });
}

Deno.test("transportFailure() tells of a server without TLS", async () => {
  await using server = rawServer(async (conn) => {
    await conn.read(new Uint8Array(1024));
    await write(conn, "HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const reason = await reasonAt(`https://127.0.0.1:${server.port}/`);
  assertEquals(reason, "the server does not speak TLS on this port");
});

Deno.test("transportFailure() tells of a certificate that is not trusted", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen() {} },
    () => new Response("{}"),
  );
  const reason = await reasonAt(`https://127.0.0.1:${server.addr.port}/`);
  assertEquals(reason, "TLS certificate not trusted");
  await server.shutdown();
});

const TOLD: [message: string, reason: string][] = [
  ["invalid peer certificate: Expired", "TLS certificate has expired"],
  [
    "invalid peer certificate: certificate expired: verification time …",
    "TLS certificate has expired",
  ],
  ["invalid peer certificate: NotValidYet", "TLS certificate is not valid yet"],
  [
    `invalid peer certificate: certificate not valid for name "a"; certificate is only valid for …`,
    "TLS certificate is for another name",
  ],
  ["received fatal alert: HandshakeFailure", "TLS handshake failed"],
  ["peer closed connection without sending TLS close_notify: https://…", CLOSED],
  ["tcp connect error: Network is unreachable (os error 101)", "host unreachable"],
  ["tcp connect error: No route to host (os error 113)", "host unreachable"],
  ["tcp connect error: Connection timed out (os error 110)", "connection timed out"],
  ["tcp connect error: Too many open files (os error 24)", "too many open files on this machine"],
];
for (const [message, reason] of TOLD) {
  Deno.test(`transportFailure() knows "${message.slice(0, 60)}", as cause and as message`, () => {
    const url = "http://user:hunter2@h/connection-refused?gzip";
    const whole = `error sending request for url (${url}): client error (Connect): ${message}`;
    assertEquals(transportFailure(new TypeError(whole)), reason);
    const cause = new Error(whole);
    assertEquals(transportFailure(new TypeError("fetch failed", { cause })), reason);
  });
}

Deno.test("transportFailure() names the flag where the permission is missing", () => {
  const error = new Deno.errors.NotCapable(`Requires net access to "h:1", run again with …`);
  assertEquals(
    transportFailure(error),
    "not permitted: run with --allow-net for the backend's address",
  );
});

Deno.test("transportFailure() passes nothing on of what it does not know", () => {
  for (const error of [new Error("http://u:hunter2@h"), "hunter2", undefined, { message: "x" }]) {
    assertEquals(transportFailure(error), "the request failed");
  }
  const loop = new Error("loop");
  loop.cause = loop;
  assertEquals(transportFailure(loop), "the request failed");
});
