import type { App } from "../../src/server/app.ts";
import { startLogs } from "../../src/telemetry/log.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../support/assert.ts";
import { type CertifiedKey, OLD, RENEWED } from "../support/certificates.ts";
import { configOf, startApp } from "../support/hub_in_process.ts";
import { within } from "../support/until.ts";

/** The files of a certificate, for as long as a test runs. */
class TlsFiles implements Disposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "holdfast-test-" });

  constructor(content: CertifiedKey) {
    this.write(content);
  }

  get tls(): { cert: string; key: string } {
    return { cert: `${this.#folder}/cert.pem`, key: `${this.#folder}/key.pem` };
  }

  write({ cert, key }: CertifiedKey): void {
    Deno.writeTextFileSync(this.tls.cert, cert);
    Deno.writeTextFileSync(this.tls.key, key);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** A WebSocket over TLS that trusts one certificate alone; it shows what it reads as text. */
class WssClient implements Disposable {
  readonly #connection: Deno.TlsConn;
  #text = "";

  private constructor(connection: Deno.TlsConn) {
    this.#connection = connection;
  }

  static async connect(app: App, { cert }: CertifiedKey): Promise<WssClient> {
    const { port } = new URL(app.url);
    const connection = await Deno.connectTls({
      hostname: "localhost",
      port: Number(port),
      caCerts: [cert],
    });
    const client = new WssClient(connection);
    try {
      await connection.write(
        new TextEncoder().encode(
          `GET /ws HTTP/1.1\r\nhost: localhost:${port}\r\norigin: https://localhost:${port}\r\n` +
            "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n" +
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ),
      );
      await client.readUntil(`"type":"welcome"`);
    } catch (error) {
      connection.close();
      throw error;
    }
    return client;
  }

  /** Reads until this was among what came. */
  async readUntil(part: string): Promise<void> {
    const reading = async () => {
      const bytes = new Uint8Array(16_384);
      while (!this.#text.includes(part)) {
        const count = await this.#connection.read(bytes);
        if (count === null) throw new Error("the connection has ended");
        this.#text += new TextDecoder().decode(bytes.subarray(0, count));
      }
      this.#text = this.#text.slice(this.#text.indexOf(part) + part.length);
    };
    await within(reading(), { explain: () => `${part} did not come` });
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

Deno.test("wss:// works with the certificate given, and a page of the same origin is let in", async () => {
  using files = new TlsFiles(OLD);
  await using app = await startApp({ tls: files.tls, hub: { heartbeat_every: "50ms" } });
  assertStringIncludes(app.url, "https://");
  using client = await WssClient.connect(app, OLD);
  await client.readUntil(`"type":"heartbeat"`);
  await assertRejects(() => WssClient.connect(app, RENEWED), Error);
});

Deno.test("App.reload() shows new connections a renewed certificate, and keeps the old ones", async () => {
  using files = new TlsFiles(OLD);
  await using app = await startApp({ tls: files.tls, hub: { heartbeat_every: "50ms" } });
  const { url } = app;
  using before = await WssClient.connect(app, OLD);
  files.write(RENEWED);
  await app.reload(app.config);
  assertEquals(app.url, url);
  using after = await WssClient.connect(app, RENEWED);
  await assertRejects(() => WssClient.connect(app, OLD), Error);
  for (const client of [before, after]) {
    await client.readUntil(`"clients_connected":2`);
    await client.readUntil(`"type":"heartbeat"`);
  }
  await app.shutdown();
  for (const client of [before, after]) await client.readUntil("SERVER_SHUTDOWN");
});

Deno.test("App.reload() with a certificate that cannot be used keeps the old one, and says why", async () => {
  using files = new TlsFiles(OLD);
  await using app = await startApp({ tls: files.tls, hub: { heartbeat_every: "50ms" } });
  using before = await WssClient.connect(app, OLD);
  const bad: [CertifiedKey, says: string][] = [
    [{ cert: RENEWED.cert, key: OLD.key }, "belong together"],
    [{ ...OLD, cert: "nonsense" }, "tls.cert"],
    [{ ...OLD, key: "" }, "tls.key"],
    [{ ...OLD, cert: OLD.cert.replace(/[A-Z]{6}/, "AAAAAA") }, "tls"],
  ];
  for (const [content, says] of bad) {
    files.write(content);
    const error = await assertRejects(() => app.reload(app.config), TypeError);
    assertStringIncludes(error.message, says);
    assert(!error.message.includes("-----BEGIN PRIVATE"));
    using _after = await WssClient.connect(app, OLD);
    await before.readUntil(`"type":"heartbeat"`);
  }
  files.write(RENEWED);
  await app.reload(app.config);
  using _renewed = await WssClient.connect(app, RENEWED);
});

Deno.test("App.reload() without the C library leaves a new certificate to a restart, and says so", async () => {
  using files = new TlsFiles(OLD);
  const lines: string[] = [];
  await using _logs = startLogs({
    level: "info",
    format: "json",
    write: (line) => lines.push(line),
  });
  // One thread: another opens the C library for itself.
  const settings = { tls: files.tls, workers: 1, hub: { heartbeat_every: "50ms" } };
  const openLibc = () => ({ unavailable: "not in this test" });
  await using app = await startApp(settings, { openLibc });
  using before = await WssClient.connect(app, OLD);
  files.write(RENEWED);
  await app.reload({ ...app.config, origins: ["https://ops.example.com"] });
  assert(lines.some((line) => line.includes("tls.not_renewed")));
  assertEquals(app.config.origins, ["https://ops.example.com"], "all else counts");
  using _after = await WssClient.connect(app, OLD);
  await before.readUntil(`"clients_connected":2`);
});

Deno.test("App.start() says what is wrong with a certificate", async () => {
  using files = new TlsFiles({ cert: RENEWED.cert, key: OLD.key });
  const error = await assertRejects(() => startApp({ tls: files.tls }), TypeError);
  assertStringIncludes(error.message, "tls");
  const missing = { cert: "/nowhere/cert.pem", key: "/nowhere/key.pem" };
  const { message } = await assertRejects(() => startApp({ tls: missing }), TypeError);
  assertStringIncludes(message, "/nowhere/cert.pem");
});

Deno.test("App.reload() leaves turning TLS on or off to a restart, and goes on saying so", async () => {
  using files = new TlsFiles(OLD);
  const lines: string[] = [];
  await using _logs = startLogs({
    level: "info",
    format: "json",
    write: (line) => lines.push(line),
  });
  await using app = await startApp({});
  for (let time = 0; time < 2; time++) {
    await app.reload(configOf({ tls: files.tls }));
    const told = JSON.parse(lines.findLast((line) => line.includes("config.reloaded")) ?? "{}");
    assertStringIncludes(told.needs_restart.join(), "tls");
  }
  assertEquals(app.config.tls, undefined);
  assertEquals(await (await fetch(`${app.url}/healthz`)).json(), { status: "ok" });
});
