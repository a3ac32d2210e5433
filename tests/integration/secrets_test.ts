import { startLogs } from "../../src/telemetry/log.ts";
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { SseClient } from "../support/sse_client.ts";
import { WsClient } from "../support/ws_client.ts";

const GOOD = "good-secret-0123456789";
const WRONG = "wrong-secret-9876543210";
const JWT_SECRET = "jwt-secret-of-thirty-two-bytes-or-more";

/** Sends a request as it stands and reads the first line of the answer. */
async function ask(app: { url: string }, request: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(request));
  const bytes = new Uint8Array(4096);
  const count = await connection.read(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, count)).split("\r\n")[0] ?? "";
}

Deno.test("no token reaches a log line or an answer, whatever it came with and whatever went wrong", async () => {
  const lines: string[] = [];
  const answers: string[] = [];
  await using _logs = startLogs({
    level: "debug",
    format: "json",
    write: (line) => lines.push(line),
  });
  const auth = {
    tokens: [{ name: "reader", token: GOOD, publish: true }],
    jwt: { secret: JWT_SECRET, jwks_url: "http://user:url-secret@127.0.0.1:1/jwks" },
  };
  await using app = await startApp({ auth, hub: { max_clients: 2 } });
  const url = wsUrl(app);

  for (const token of [GOOD, WRONG]) {
    const paths = ["/", "/events", "/snapshot/x", "/snapshot", "/status", "/nothing", "/healthz"];
    for (const path of [...paths, "/ws", "/readyz", "//", "/publish"]) {
      for (const method of ["HEAD", "POST", "DELETE", "OPTIONS"]) {
        const response = await fetch(`${app.url}${path}?token=${token}`, { method });
        answers.push(await response.text(), JSON.stringify([...response.headers]));
      }
    }
    const channels = "agent_status,nonsense";
    for (const headers of [{}, { "sec-websocket-version": "8" }, { connection: "close" }]) {
      using client = await RawClient.connect(
        `${url}?token=${token}&channels=${channels}&session=s&epoch=e&since=z`,
        headers,
      );
      answers.push(JSON.stringify([...client.handshake.headers]));
    }
    // What a URL is made of can be broken in many ways; the token stands right beside.
    for (const host of ["a b", "[::1", "%%%", "x:99999", "x"]) {
      const target = `/ws?token=${token}`;
      for (const at of [target, `http://[bad${target}`, `http://a:99999${target}`]) {
        const line = await ask(
          app,
          `GET ${at} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
        );
        assert(line === "" || /^HTTP\/1\.1 4\d\d /.test(line), `${at} ${host}: ${line}`);
      }
    }
  }
  {
    await using client = await WsClient.connect(`${url}?token=${GOOD}`);
    client.send({ type: "nonsense" });
    await client.waitForCode("BAD_MESSAGE");
    await using stream = await SseClient.connect(`${app.url}/events?token=${GOOD}`);
    await stream.waitForType("welcome");
    using full = await RawClient.connect(`${url}?token=${GOOD}`);
    assertEquals(full.handshake.status, 503);
    answers.push(...client.frames.map((frame) => JSON.stringify(frame)));
  }
  const unsigned = `${btoa(JSON.stringify({ alg: "RS256" }))}.${btoa("{}")}.c2lnbmF0dXJl`;
  const undecided = await fetch(`${app.url}/status?token=${unsigned.replaceAll("=", "")}`);
  assertEquals(undecided.status, 503);
  answers.push(await undecided.text());
  await app.reload({ ...app.config, auth: { tokens: [], jwt: [] } });
  await app.shutdown();

  assertGreater(lines.length, 10);
  const secrets = [GOOD, WRONG, JWT_SECRET, "url-secret", "c2lnbmF0dXJl", "token="];
  for (const secret of secrets) {
    for (const text of [...lines, ...answers]) {
      assert(!text.includes(secret), `${secret} in ${text}`);
    }
  }
});
