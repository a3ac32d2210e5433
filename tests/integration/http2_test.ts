import http2 from "node:http2";
import { hasModernHttp2 } from "../../src/rpc/grpc/runtime.ts";
import type { App } from "../../src/server/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { OLD } from "../support/certificates.ts";
import { text } from "../support/hub_bench.ts";
import { startApp } from "../support/hub_in_process.ts";
import { within } from "../support/until.ts";

const TOKEN = "secret-0123456789-0123";
const AUTH = { tokens: [{ name: "p", token: TOKEN, publish: true }] };

/** One stream of a connection: what came on it, and how it ended. */
interface Stream {
  readonly raw: http2.ClientHttp2Stream;
  readonly answered: Promise<http2.IncomingHttpHeaders & { ":status"?: number }>;
  readonly ended: Promise<void>;
  text: string;
  waitFor(part: string): Promise<void>;
}

/** One HTTP/2 connection, by prior knowledge or over TLS. */
class Http2Client implements AsyncDisposable {
  readonly session: http2.ClientHttp2Session;
  hasEnded = false;

  constructor(origin: string, ca?: string) {
    this.session = http2.connect(origin, ca === undefined ? {} : { ca });
    this.session.on("error", () => {});
    this.session.on("close", () => this.hasEnded = true);
  }

  ask(path: string, headers: Record<string, string> = {}, body?: string): Stream {
    const raw = this.session.request({ ":path": path, ...headers });
    const { promise: answered, resolve: onAnswer } = Promise.withResolvers<
      http2.IncomingHttpHeaders
    >();
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>();
    const looks = new Set<() => void>();
    raw.setEncoding("utf8");
    raw.on("response", onAnswer);
    raw.on("error", () => {});
    raw.on("close", () => onEnd());
    raw.on("data", (chunk: string) => {
      stream.text += chunk;
      for (const look of looks) look();
    });
    const stream: Stream = {
      raw,
      answered,
      ended,
      text: "",
      waitFor: (part) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const look = () => stream.text.includes(part) && resolve();
        looks.add(look);
        look();
        return within(promise, { explain: () => `no ${part} on ${path}` });
      },
    };
    raw.end(body);
    return stream;
  }

  async status(path: string, headers: Record<string, string> = {}, body?: string) {
    const { answered, ended } = this.ask(
      path,
      body === undefined ? headers : { ":method": "POST", ...headers },
      body,
    );
    const { ":status": status } = await within(answered, { explain: () => `no answer: ${path}` });
    await within(ended, { explain: () => `no end: ${path}` });
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function withTls(run: (tls: { cert: string; key: string }) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  try {
    const tls = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
    await Deno.writeTextFile(tls.cert, OLD.cert);
    await Deno.writeTextFile(tls.key, OLD.key);
    await run(tls);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The client of these tests is the runtime's own, which an older one has not. */
function http2Test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasModernHttp2(), fn });
}

async function goesForAllRoutes(app: App, origin: string, ca?: string): Promise<void> {
  await using client = new Http2Client(origin, ca);
  const bearer = { authorization: `Bearer ${TOKEN}` };
  for (const path of ["/healthz", "/", "/client.js"]) {
    assertEquals(await client.status(path), 200, path);
  }
  for (const path of ["/status", "/snapshot", "/asyncapi.json"]) {
    assertEquals([await client.status(path), await client.status(path, bearer)], [401, 200], path);
  }
  const event = JSON.stringify({ channel: "notification", data: { title: "t" } });
  assertEquals(await client.status("/publish", bearer, event), 202);
  const own = { ...bearer, origin };
  assertEquals(await client.status("/publish", own, event), 202, "a page of the hub's own");
  assertEquals(await client.status("/status", own), 200);
  const foreign = { ...bearer, origin: "https://evil.example" };
  assertEquals(await client.status("/publish", foreign, event), 403);
  assertEquals(await client.status("/ws", own), 426, "WebSockets take HTTP/1.1");
  const stream = client.ask("/events", own);
  await stream.waitFor("welcome");
  app.hub.broadcast("notification", text({ title: "over HTTP/2" }));
  await stream.waitFor("over HTTP/2");
  assertEquals(client.hasEnded, false);
}

http2Test("C06: every route goes over HTTP/2 by prior knowledge", async () => {
  await using app = await startApp({ auth: AUTH });
  await goesForAllRoutes(app, app.url);
  // As the runtime would call a request of HTTP/1 that says no name.
  await goesForAllRoutes(app, app.url.replace("127.0.0.1", "localhost"));
});

http2Test("C06: every route goes over HTTP/2 on TLS", async () => {
  await withTls(async (tls) => {
    await using app = await startApp({ auth: AUTH, tls });
    await goesForAllRoutes(app, app.url.replace("127.0.0.1", "localhost"), OLD.cert);
  });
});

http2Test(
  "C06: of two event streams on one connection the slow one is ended, the other goes on",
  async () => {
    await using app = await startApp({
      hub: {
        heartbeat_every: "50ms",
        stall_timeout: "500ms",
        request_timeout: "500ms",
        outbox_messages: 16,
      },
    });
    await using client = new Http2Client(app.url);
    const quick = client.ask("/events?channels=heartbeat,connection_error,notification");
    await quick.waitFor("welcome");
    const slow = client.ask("/events?channels=notification");
    await slow.waitFor("welcome");
    slow.raw.pause();
    const filler = "x".repeat(60_000);
    for (let n = 0; !quick.text.includes("SLOW_CLIENT"); n++) {
      assert(n < 1000, "the slow one was not found out");
      app.hub.broadcast("notification", text({ n, filler }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertEquals(app.hub.size, 1);
    // Long after its time to linger, and the time a connection without use would have.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    quick.text = "";
    await quick.waitFor("heartbeat");
    assertEquals([client.hasEnded, app.hub.size], [false, 1]);
    assertEquals(await client.status("/healthz"), 200, "and there is room for more");
    slow.raw.resume();
    await within(slow.ended, { explain: () => "the slow stream did not end" });
    quick.text = "";
    await quick.waitFor("heartbeat");
  },
);

http2Test("C06: a connection whose only stream takes nothing is ended as a whole", async () => {
  await using app = await startApp({
    hub: { stall_timeout: "300ms", request_timeout: "500ms", outbox_messages: 16 },
  });
  await using client = new Http2Client(app.url);
  const slow = client.ask("/events?channels=notification");
  await slow.waitFor("welcome");
  slow.raw.pause();
  const filler = "x".repeat(60_000);
  for (let n = 0; app.hub.size > 0; n++) {
    assert(n < 1000, "it was not found out");
    app.hub.broadcast("notification", text({ n, filler }));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await within(slow.ended, { explain: () => "its connection did not end" });
});
