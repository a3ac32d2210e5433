import { assert, assertEquals } from "../support/assert.ts";
import { say } from "../support/seed.ts";
import { headText, TcpPeer } from "../support/tcp_peer.ts";
import { closeBytes } from "../support/ws_frame.ts";
import { casesOf } from "./cases.ts";
import { FuzzedHub, MAX_BYTES, ORIGIN, TOKENS } from "./fuzzed_hub.ts";
import { inParallel } from "./in_parallel.ts";
import { requireNoInsides } from "./oracle.ts";
import { type Asked, publication, request } from "./requests.ts";

/** Every status a hub under no load may answer with; 0 is a connection ended for what was no HTTP. */
const STATUSES = new Set([0, 101, 200, 202, 204, 400, 401, 403, 404, 405, 409, 413, 426, 431]);

Deno.test("a hub answers generated handshakes and requests, and lets in whom it should", async () => {
  await using fuzzed = await FuzzedHub.start();
  const cases = casesOf(7000);
  const statuses = new Map<number, number>();
  await inParallel({
    suite: "fuzz of handshakes",
    cases,
    arbitrary: request,
    run: async (asked) => {
      using peer = await TcpPeer.connect(fuzzed.url);
      const requestLine = `${asked.method} ${asked.target} ${asked.version}`;
      await peer.send(latin1(headText(requestLine, asked.headers)));
      await peer.waitForAnswer(asked.method === "HEAD");
      const { status } = peer;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const isSnapshot = asked.target.startsWith("/snapshot/");
      assert(STATUSES.has(status) || status === 503 && isSnapshot, `${status}: ${peer.answer}`);
      // The page and the client that the hub gives out are programs, and speak of errors.
      if (!/^content-type: text\/(html|javascript)/im.test(peer.answer)) {
        requireNoInsides(peer.answer, asked.target);
      }
      for (const token of Object.values(TOKENS)) {
        assert(!peer.answer.includes(token), `an answer shows a token: ${peer.answer}`);
      }
      const isRight = isWebSocket(asked);
      if (isRight !== undefined) assertEquals(status === 101, isRight, peer.answer);
      if (status !== 101) return;
      await peer.waitFor(() => peer.messages.length > 0, "welcome");
      assertEquals(peer.messages[0].type, "welcome");
      assert(
        peer.codes.every((code) => /^(UNKNOWN|FORBIDDEN)_CHANNEL$/.test(code)),
        `${peer.codes}`,
      );
      await peer.send(closeBytes(1000));
      await peer.waitForEnd();
    },
  });
  await fuzzed.checkAfterwards();
  assertEquals(fuzzed.witness.codes, [], "one client's error is no other's business");
  say(`fuzz: ${cases} handshakes and requests, by status ${JSON.stringify([...statuses])}`);
  for (const status of [101, 400, 401, 403, 404, 405, 426]) {
    assert(statuses.has(status), `${status}`);
  }
});

Deno.test("a hub answers generated publications, and broadcasts the good ones alone", async () => {
  await using fuzzed = await FuzzedHub.start();
  const cases = casesOf(3000);
  let events = 0;
  await inParallel({
    suite: "fuzz of publications",
    cases,
    arbitrary: publication,
    run: async ({ body, token }) => {
      const response = await fetch(`${fuzzed.url}/publish`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body,
      });
      const answer = await response.text();
      requireNoInsides(answer, body);
      const expected = verdictOn(body, token);
      assertEquals(response.status, expected, answer);
      if (expected === 202 && JSON.parse(body).channel === "notification") events += 1;
    },
  });
  await fuzzed.checkAfterwards();
  const heard = fuzzed.witness.frames.filter(({ type }) => type === "notification").length;
  assertEquals(heard, events);
  assertEquals(fuzzed.witness.codes, []);
  assert(events > 0);
  say(`fuzz: ${cases} publications, ${events} of them good notifications`);
});

/**
 * Whether a hub has to let this in as a WebSocket; undefined where HTTP itself may have a say, for
 * bytes that no header may hold or a body that was announced.
 */
function isWebSocket({ method, target, version, headers }: Asked): boolean | undefined {
  const of = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const url = new URL(`http://127.0.0.1${target}`);
  const isHttp = version === "HTTP/1.1" && !of.has("content-length") &&
    !of.has("transfer-encoding") &&
    headers.every(([, value]) => /^[\x20-\x7e]*$/.test(value)) && !target.startsWith("//") &&
    /^[\w\-.~:/?[\]@!$&'()*+,;=%]*$/.test(target);
  if (!isHttp) return undefined;
  const origin = of.get("origin");
  const wants = (of.get("connection") ?? "").toLowerCase().split(",").map((each) => each.trim());
  // The path is what was sent: nothing is decoded, and no ".." is followed.
  return method === "GET" && target.split("?", 1)[0] === "/ws" &&
    of.get("upgrade")?.trim().toLowerCase() === "websocket" && wants.includes("upgrade") &&
    of.get("sec-websocket-version")?.trim() === "13" && isKey(of.get("sec-websocket-key")) &&
    (origin === undefined || origin.trim() === ORIGIN) && isTokenGood(of, url);
}

/** Sixteen bytes in base64 (RFC 6455 section 4.1). */
function isKey(key: string | undefined): boolean {
  return /^[A-Za-z0-9+/]{22}==$/.test(key?.trim() ?? "");
}

function isTokenGood(headers: ReadonlyMap<string, string>, url: URL): boolean {
  const good: readonly string[] = Object.values(TOKENS);
  const bearer = /^bearer +(\S+)$/i.exec((headers.get("authorization") ?? "").trim())?.[1];
  if (bearer !== undefined) return good.includes(bearer);
  for (const each of (headers.get("sec-websocket-protocol") ?? "").split(",")) {
    const encoded = /^holdfast\.token\.(.*)$/.exec(each.trim())?.[1];
    if (encoded === undefined) continue;
    if (good.some((token) => btoa(token).replaceAll("=", "") === encoded)) return true;
    break;
  }
  return good.includes(url.searchParams.get("token") ?? "");
}

/** What a publication has to be answered with. */
function verdictOn(body: string, token: string): number {
  if (token === "wrong") return 401;
  if (token === TOKENS.few) return 403;
  if (new TextEncoder().encode(body).length > MAX_BYTES) return 413;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return 400;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return 400;
  const { channel, data } = value as Record<string, unknown>;
  if (typeof channel !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(channel)) return 400;
  if (data === undefined || Object.keys(value).some((key) => key !== "channel" && key !== "data")) {
    return 400;
  }
  if (["error", "rpc_error", "connection_error", "heartbeat"].includes(channel)) return 403;
  if (channel === "notification") {
    return typeof data === "object" && data !== null && !Array.isArray(data) ? 202 : 400;
  }
  return ["system_status", "agent_status"].includes(channel) ? 202 : 404;
}

/** One byte a character: what a header is on the wire. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
