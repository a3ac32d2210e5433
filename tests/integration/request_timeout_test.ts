import { assert, assertEquals } from "../support/assert.ts";
import { OLD } from "../support/certificates.ts";
import { startApp, statusOf, wsUrl } from "../support/hub_in_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { SseClient } from "../support/sse_client.ts";
import { within } from "../support/until.ts";

const TIMEOUT = "600ms";
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** The first bytes of a TLS handshake that says how much is to come. */
const HALF_HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
const UPGRADE = "GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n";

/** Everything that comes until the connection is over. */
async function readToEnd(connection: Deno.Conn): Promise<string> {
  let text = "";
  const bytes = new Uint8Array(65_536);
  try {
    for (let count = await connection.read(bytes); count !== null;) {
      text += new TextDecoder().decode(bytes.subarray(0, count));
      count = await connection.read(bytes);
    }
  } catch {
    // A reset is an end as well.
  }
  return text;
}

/** Says something once or bit by bit, and waits for the end. */
async function say(url: string, text: string, { trickle = false } = {}): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  if (bytes.length > 0) await connection.write(bytes);
  const dripping = trickle
    ? setInterval(() => connection.write(new Uint8Array([0x61])).catch(() => {}), 50)
    : undefined;
  try {
    return await within(readToEnd(connection), { explain: () => `not ended: ${text}` });
  } finally {
    clearInterval(dripping);
  }
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ").at(-1));
}

/** Asks until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const asking = async () => {
    while (!await isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await within(asking(), { explain: () => "it was not so" });
}

Deno.test("C03: whatever does not become a client is ended after hub.request_timeout, and counted", async () => {
  await using app = await startApp({ hub: { request_timeout: TIMEOUT, heartbeat_every: "50ms" } });
  // Clients are not touched, of whatever kind.
  using ws = await RawClient.connect(wsUrl(app));
  await using sse = await SseClient.connect(`${app.url}/events`);
  const name = 'holdfast_pending_connections_ended_total{reason="timeout"}';
  const idle = [
    say(app.url, ""),
    say(app.url, "GET /healthz HTTP/1.1\r\nhost: loc"),
    say(app.url, "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ", { trickle: true }),
    say(app.url, UPGRADE),
    say(app.url, PREFACE),
    say(app.url, PREFACE.slice(0, 10)),
    say(app.url, "POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"),
  ];
  await until(async () => await metric(app.url, "holdfast_pending_connections") >= 6);
  const keptAlive = await say(app.url, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
  assert(keptAlive.includes("200 OK"));
  await Promise.all(idle);
  assert(await metric(app.url, name) >= 7);
  await until(async () => await metric(app.url, "holdfast_pending_connections") <= 3);
  assertEquals((await statusOf(app)).total_clients, 2);
  const heard = sse.blocks.length;
  await sse.waitFor((block) => sse.blocks.indexOf(block) >= heard);
  assertEquals(JSON.parse(await ws.readText()).type, "welcome");
});

Deno.test("C03: half a TLS handshake is ended as well, and whole ones are not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  try {
    const tls = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
    await Deno.writeTextFile(tls.cert, OLD.cert);
    await Deno.writeTextFile(tls.key, OLD.key);
    await using app = await startApp({ tls, hub: { request_timeout: TIMEOUT } });
    await Promise.all(["", HALF_HELLO.slice(0, 3), HALF_HELLO].map((text) => say(app.url, text)));
    using client = Deno.createHttpClient({ caCerts: [OLD.cert], http2: true });
    const url = app.url.replace("127.0.0.1", "localhost");
    for (let time = 0; time < 3; time++) {
      const response = await fetch(`${url}/healthz`, { client });
      assertEquals([response.status, (await response.text()).length > 0], [200, true]);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("C08: a WebSocket on a connection that carried much HTTP before is not cut off", async () => {
  await using app = await startApp({
    auth: { tokens: [{ name: "p", token: "secret-0123456789-0123", publish: true }] },
    hub: { heartbeat_every: "50ms" },
  });
  const { hostname, port } = new URL(app.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = "host: localhost\r\nauthorization: Bearer secret-0123456789-0123\r\n";
  const body = JSON.stringify({ channel: "notification", data: { text: "x".repeat(60_000) } });
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(65_536);
  let text = "";
  const readUntil = async (part: string) => {
    const reading = async () => {
      while (!text.includes(part)) {
        const count = await connection.read(bytes);
        if (count === null) throw new Error(`ended: ${text.slice(-200)}`);
        text += decoder.decode(bytes.subarray(0, count), { stream: true });
      }
    };
    await within(reading(), { explain: () => `no ${part}` });
    text = text.slice(text.indexOf(part) + part.length);
  };
  for (let time = 0; time < 8; time++) {
    const request =
      `POST /publish HTTP/1.1\r\n${head}content-length: ${body.length}\r\n\r\n${body}`;
    const all = encoder.encode(request);
    for (let at = 0; at < all.length;) at += await connection.write(all.subarray(at));
    await readUntil("202 Accepted");
    await readUntil("}");
  }
  await connection.write(
    encoder.encode(
      `${UPGRADE}${
        head.slice(head.indexOf("auth"))
      }connection: Upgrade\r\nsec-websocket-version: 13\r\n` +
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ),
  );
  await readUntil("101 Switching Protocols");
  // The guard looks at all of them in ten seconds.
  const until = Date.now() + 11_000;
  while (Date.now() < until) await readUntil('"type":"heartbeat"');
  assertEquals((await statusOf(app, "secret-0123456789-0123")).total_clients, 1);
});
