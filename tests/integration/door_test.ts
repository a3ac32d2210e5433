import type { App } from "../../src/server/app.ts";
import { clientThreads } from "../../src/workers/client_thread_pool.ts";
import { assert, assertEquals, assertGreater, assertStringIncludes } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { startLogs } from "../../src/telemetry/log.ts";
import { configOf, startApp, statusOf, wsUrl } from "../support/hub_in_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { SseClient } from "../support/sse_client.ts";
import { within } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";

const READER = "reader-secret-0123456789";
const PUBLISHER = "publisher-secret-0123456789";

const AUTH = {
  tokens: [
    { name: "reader", token: READER, channels: ["agent_status", "heartbeat"] },
    { name: "publisher", token: PUBLISHER, publish: true },
  ],
};

function base64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** The status of a WebSocket handshake. */
async function knock(url: string, headers: Record<string, string> = {}): Promise<number> {
  using client = await RawClient.connect(url, headers);
  return client.handshake.status;
}

async function get(app: App, path: string, init: RequestInit = {}) {
  const response = await fetch(`${app.url}${path}`, init);
  const { status, headers } = response;
  return { status, headers, text: await response.text() };
}

/** Knocks until let in. */
async function letIn(url: string, headers: Record<string, string> = {}): Promise<void> {
  const knocking = async () => {
    while (await knock(url, headers) !== 101);
  };
  await within(knocking(), { explain: () => "no place was given back" });
}

Deno.test("the door takes a token as header, subprotocol or query", async () => {
  await using app = await startApp({ auth: AUTH, channels: { agent_status: {} } });
  const url = wsUrl(app);
  assertEquals(await knock(url, bearer(READER)), 101);
  assertEquals(await knock(`${url}?token=${READER}`), 101);
  for (const separator of [", ", ","]) {
    using client = await RawClient.connect(url, {
      "sec-websocket-protocol": `holdfast${separator}holdfast.token.${base64Url(READER)}`,
    });
    assertEquals(client.handshake.status, 101);
    assertEquals(client.handshake.headers.get("sec-websocket-protocol"), "holdfast");
  }
  const protocols = ["holdfast", `holdfast.token.${base64Url(READER)}`];
  await using browserLike = await WsClient.connect(url, { protocols });
  assertEquals(browserLike.frames[0]?.data.channels, ["agent_status", "heartbeat"]);
});

Deno.test("the door answers 401 to a wrong token or none, and says how to bring one", async () => {
  await using app = await startApp({ auth: AUTH });
  const url = wsUrl(app);
  const wrong: Record<string, string>[] = [
    {},
    bearer("wrong"),
    bearer(READER.slice(1)),
    { authorization: `Basic ${READER}` },
    { "sec-websocket-protocol": `holdfast, holdfast.token.${base64Url("wrong")}` },
    { "sec-websocket-protocol": "holdfast, holdfast.token.%%%" },
  ];
  for (const headers of wrong) {
    using client = await RawClient.connect(url, headers);
    const { handshake } = client;
    assertEquals(handshake.status, 401, JSON.stringify(headers));
    assertEquals(handshake.headers.get("www-authenticate"), "Bearer");
  }
  assertEquals(await knock(`${url}?token=wrong`), 401);
  assertEquals(await knock(`${url}?token=${READER}`, bearer("wrong")), 401, "the header counts");
  assertEquals((await statusOf(app, READER)).total_clients, 0);
});

Deno.test("rights apply to every path but the page, /healthz and /readyz", async () => {
  await using app = await startApp({ auth: AUTH });
  const guarded = ["/events", "/snapshot", "/snapshot/agent_status", "/status"];
  for (const path of guarded) {
    const { status, headers, text } = await get(app, path);
    assertEquals([status, headers.get("www-authenticate")], [401, "Bearer"], path);
    assertStringIncludes(text, "a token is needed");
  }
  for (const path of ["/", "/healthz", "/readyz"]) assertEquals((await get(app, path)).status, 200);
  assertEquals((await get(app, "/publish", { method: "POST" })).status, 401);
  assertEquals((await get(app, "/status", { headers: bearer(READER) })).status, 200);
  assertEquals((await get(app, `/status?token=${READER}`)).status, 200);
});

Deno.test("a token is good for its channels: those alone by default, no others on request", async () => {
  const channels = { agent_status: {}, storage_update: {} };
  await using app = await startApp({ auth: AUTH, channels });
  const publish = (channel: string) =>
    get(app, "/publish", {
      method: "POST",
      headers: bearer(PUBLISHER),
      body: JSON.stringify({ channel, data: { n: 1 } }),
    });
  await using reader = await WsClient.connect(`${wsUrl(app)}?token=${READER}`);
  await using everything = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}`);
  await using asking = await WsClient.connect(
    `${wsUrl(app)}?token=${READER}&channels=agent_status,storage_update,notification`,
  );
  await using stream = await SseClient.connect(`${app.url}/events`, { token: READER });
  for (const channel of ["storage_update", "notification", "agent_status"]) {
    assertEquals((await publish(channel)).status, 202);
  }
  reader.send({ type: "subscribe", channels: ["storage_update", "error"] });
  for (const client of [reader, everything, asking]) {
    await client.waitFor(({ type }) => type === "agent_status");
  }
  await stream.waitForType("agent_status");
  await reader.waitFor(({ type }) => type === "subscribed");
  assertEquals(reader.frames[0]?.data.channels, ["agent_status", "heartbeat"]);
  assertEquals(reader.frames.map(({ type }) => type).sort(), [
    "agent_status",
    "error",
    "error",
    "subscribed",
    "welcome",
  ]);
  assertEquals(reader.codes, ["FORBIDDEN_CHANNEL", "FORBIDDEN_CHANNEL"]);
  assertEquals(asking.frames.map(({ type, data }) => data.code ?? type), [
    "welcome",
    "FORBIDDEN_CHANNEL",
    "FORBIDDEN_CHANNEL",
    "agent_status",
  ]);
  assertEquals(stream.frames.map(({ type }) => type), ["welcome", "agent_status"]);
  const types = everything.frames.map(({ type }) => type);
  assertEquals(types, ["welcome", "storage_update", "notification", "agent_status"]);

  const headers = bearer(READER);
  const all = await get(app, "/snapshot", { headers });
  assertEquals(Object.keys(JSON.parse(all.text)), ["agent_status"]);
  assertEquals((await get(app, "/snapshot/agent_status", { headers })).status, 200);
  assertEquals((await get(app, "/snapshot/storage_update", { headers })).status, 403);
});

Deno.test("the door keeps foreign pages out, and lets listed ones read every answer", async () => {
  const listed = "https://ops.example.com";
  await using app = await startApp({ auth: AUTH, origins: [listed] });
  const url = wsUrl(app);
  const headers = bearer(READER);
  assertEquals(await knock(url, { ...headers, origin: listed }), 101);
  assertEquals(await knock(url, { ...headers, origin: app.url }), 101);
  for (
    const origin of ["https://evil.example", "null", `${app.url}0`, `${listed}.evil.example`]
  ) {
    assertEquals(await knock(url, { ...headers, origin }), 403, origin);
    const { status, headers: answered } = await get(app, "/status", {
      headers: { ...headers, origin },
    });
    assertEquals([status, answered.get("access-control-allow-origin")], [403, null], origin);
  }
  const cases: [path: string, headers: Record<string, string>, status: number][] = [
    ["/status", headers, 200],
    ["/status", {}, 401],
    ["/snapshot/storage_update", headers, 403],
    ["/snapshot/agent_status", headers, 503],
    ["/nothing", headers, 404],
  ];
  for (const [path, given, status] of cases) {
    const answer = await get(app, path, { headers: { ...given, origin: listed } });
    assertEquals(answer.status, status, path);
    assertEquals(answer.headers.get("access-control-allow-origin"), listed, path);
    assertStringIncludes(answer.headers.get("vary") ?? "", "origin", path);
  }
  const preflight = await get(app, "/publish", {
    method: "OPTIONS",
    headers: {
      origin: listed,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
  assertEquals(preflight.status, 204);
  assertEquals(preflight.headers.get("access-control-allow-origin"), listed);
  assertStringIncludes(preflight.headers.get("access-control-allow-methods") ?? "", "POST");
  assertStringIncludes(
    preflight.headers.get("access-control-allow-headers") ?? "",
    "authorization",
  );
  const foreign = await get(app, "/publish", {
    method: "OPTIONS",
    headers: { origin: "https://evil.example" },
  });
  assertEquals([foreign.status, foreign.headers.get("access-control-allow-origin")], [403, null]);
});

Deno.test("the same origin is the same host and port, IPv6 as well", async () => {
  await using app = await startApp({ listen: "[::1]:0" });
  const { port } = new URL(app.url);
  assertEquals(new URL(app.url).hostname, "[::1]");
  // RawClient connects by hostname, which for IPv6 has no brackets there: the head is what counts.
  const asked = async (origin: string) => {
    const response = await fetch(`${app.url}/status`, { headers: { origin } });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await asked(`http://[::1]:${port}`), 200);
  assertEquals(await asked(`http://[0:0::1]:${port}`), 200, "the same address, spelt otherwise");
  for (const origin of [`http://[::1]`, `http://[::2]:${port}`, `http://127.0.0.1:${port}`]) {
    assertEquals(await asked(origin), 403, origin);
  }
});

Deno.test("places are given back however a client ends", async () => {
  await using app = await startApp({ hub: { max_clients: 1 } });
  const url = wsUrl(app);
  const raw = () =>
    patiently(async () => {
      const client = await RawClient.connect(url);
      return client.handshake.status === 503 ? client[Symbol.dispose]() : client;
    });
  const refused = (headers: Record<string, string>) =>
    patiently(async () => {
      const status = await knock(url, headers);
      return status === 503 ? undefined : status;
    });
  // Each takes the one place there is, so that the one before has to have given it back.
  await (await patiently(() => WsClient.connect(url).catch(() => {}))).close();
  (await raw())[Symbol.dispose]();
  await (await raw()).reset();
  assertEquals(await refused({ connection: "close" }), 400, "a refused upgrade");
  assertEquals(await refused({ "sec-websocket-version": "8" }), 426, "another version");
  const stream = await patiently(async () => {
    const response = await fetch(`${app.url}/events`);
    return response.status === 503 ? await response.body?.cancel() : response;
  });
  assertEquals(stream.status, 200);
  await stream.body?.cancel();
  await hangUpDuring(url);
  await letIn(url);
  await eventually("nobody is inside", () => app.hub.size === 0);
});

/** Tries again and again until something comes of it. */
async function patiently<T>(attempt: () => Promise<T | void>): Promise<T> {
  const trying = async () => {
    for (;;) {
      const found = await attempt();
      if (found !== undefined) return found;
    }
  };
  return await within(trying(), { explain: () => "no place was given back" });
}

/** Asks for a WebSocket and is gone before the answer; many times, as it is a matter of luck. */
async function hangUpDuring(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  for (let time = 0; time < 20; time++) {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(
      new TextEncoder().encode(
        "GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" +
          "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      ),
    );
  }
}

Deno.test("per-address limits go by the connection, whatever X-Forwarded-For says", async () => {
  await using app = await startApp({ hub: { max_clients_per_ip: 1 } });
  await using _first = await WsClient.connect(wsUrl(app));
  using second = await RawClient.connect(wsUrl(app), { "x-forwarded-for": "10.0.0.1" });
  assertEquals(second.handshake.status, 429);
  assertGreater(Number(second.handshake.headers.get("retry-after")), 0);
});

Deno.test("behind a trusted proxy, per-address limits go by the address the proxy appended", async () => {
  await using app = await startApp({ trust_proxy: true, hub: { max_clients_per_ip: 1 } });
  const url = wsUrl(app);
  const from = (list: string) => ({ "x-forwarded-for": list });
  using _one = await RawClient.connect(url, from("10.0.0.1"));
  assertEquals(await knock(url, from("10.0.0.1")), 429);
  assertEquals(await knock(url, from("66.6.6.6, 10.0.0.1")), 429, "what a client makes up");
  using two = await RawClient.connect(url, from("10.0.0.1, 10.0.0.2"));
  assertEquals(two.handshake.status, 101);
  assertEquals(await knock(url, from("10.0.0.2")), 429);
  using direct = await RawClient.connect(url);
  assertEquals(direct.handshake.status, 101);
  assertEquals(await knock(url), 429);
  two[Symbol.dispose]();
  await letIn(url, from("10.0.0.2"));
});

Deno.test("C30: per-address limits count an address once, however it is spelt", async () => {
  await using app = await startApp({ trust_proxy: true, hub: { max_clients_per_ip: 1 } });
  const url = wsUrl(app);
  const from = (address: string) => ({ "x-forwarded-for": address });
  using _v4 = await RawClient.connect(url, from("10.0.0.1"));
  for (const same of ["10.0.0.1:4711", "::ffff:10.0.0.1", "[::ffff:a00:1]:9"]) {
    assertEquals(await knock(url, from(same)), 429, same);
  }
  using _v6 = await RawClient.connect(url, from("2001:db8::1"));
  for (const same of ["2001:DB8:0:0::1", "[2001:db8::2]:9", "2001:db8::ffff:1"]) {
    assertEquals(await knock(url, from(same)), 429, same);
  }
  using _nobody = await RawClient.connect(url, from("unknown"));
  assertEquals(
    await knock(url, from("whatever")),
    429,
    "garbage is no address: the proxy's counts",
  );
});

/** What a request is answered that no HTTP client would send. */
async function asked(
  app: App,
  head: string,
  host?: string,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(app.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const named = host === undefined ? "" : `Host: ${host}\r\n`;
  await connection.write(new TextEncoder().encode(`${head}\r\n${named}Connection: close\r\n\r\n`));
  const text = await new Response(connection.readable).text();
  return { status: Number(text.split(" ", 2)[1]), text };
}

Deno.test("C25: a Host decides no path, and the path is taken as it stands", async () => {
  await using app = await startApp({});
  for (const host of ["x\\metrics?", "a/metrics?", "a/metrics#", "u@localhost", "", "a b"]) {
    const { status, text } = await asked(app, "GET /healthz HTTP/1.1", host);
    assertEquals([status, text.includes("holdfast_")], [400, false], host);
  }
  for (
    const path of ["/x/../metrics", "/x/%2e%2e/metrics", "/x\\..\\metrics", "//localhost/metrics"]
  ) {
    const { status, text } = await asked(app, `GET ${path} HTTP/1.1`, "localhost");
    assertEquals([status, text.includes("holdfast_")], [404, false], path);
  }
  assertEquals((await asked(app, "GET /metrics HTTP/1.1", "localhost")).status, 200);
  assertEquals((await asked(app, "GET http://localhost/metrics HTTP/1.1", "x")).status, 200);
});

Deno.test("C34: a request without Host is 400", async () => {
  await using app = await startApp({});
  assertEquals((await asked(app, "GET /healthz HTTP/1.1")).status, 400);
  await using everywhere = await startApp({ listen: "0.0.0.0:0" });
  assertEquals((await asked(everywhere, "GET /healthz HTTP/1.1")).status, 400);
  // Nor is it one behind a request that had a Host, on the same connection.
  const { hostname, port } = new URL(app.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const first = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const second = "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n";
  await connection.write(new TextEncoder().encode(first + second));
  const text = await new Response(connection.readable).text();
  assertEquals([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), ["200", "400"]);
});

Deno.test("C28: a hub without auth answers under its own names alone", async () => {
  await using open = await startApp({ hosts: ["Hub.Example.com"] });
  const statuses = async (app: App, host: string, origin?: string) => [
    await knock(wsUrl(app), { host, ...(origin === undefined ? {} : { origin }) }),
    (await asked(app, "GET /snapshot HTTP/1.1", host)).status,
  ];
  const { port } = new URL(open.url);
  for (
    const host of ["127.0.0.1", `localhost:${port}`, "[::1]", "hub.example.com:80", Deno.hostname()]
  ) {
    assertEquals(await statuses(open, host), [101, 200], host);
  }
  const rebound = `rebind.example:${port}`;
  assertEquals(await statuses(open, rebound, `http://${rebound}`), [403, 403]);
  assertStringIncludes((await asked(open, "GET / HTTP/1.1", rebound)).text, '\\"hosts\\"');
  await using guarded = await startApp({ auth: AUTH });
  assertEquals(await statuses(guarded, rebound), [401, 401], "the token is what counts");
  await open.reload(configOf({ hosts: ["rebind.example"] }));
  assertEquals(await statuses(open, rebound), [101, 200], "a reload changes it");
});

Deno.test("C34: a handshake takes one whole Sec-WebSocket-Key", async () => {
  await using app = await startApp({});
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const bad = ["", "x", "dGhlIHNhbXBsZQ==", `${key}\r\nsec-websocket-key: ${key}`, `${key}${key}`];
  for (const each of bad) {
    assertEquals(await knock(wsUrl(app), { "sec-websocket-key": each }), 400, each);
  }
  assertEquals(await knock(wsUrl(app), { "sec-websocket-key": key }), 101);
});

Deno.test("C29: refusals are counted by reason, and lines about a client name its token", async () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const log = { level: "debug", format: "json" } as const;
  await using _logs = startLogs({ ...log, write });
  const openThreads = clientThreads({ journal: false, write });
  await using app = await startApp({ auth: AUTH, log }, { openThreads });
  const url = wsUrl(app);
  for (let time = 0; time < 20; time++) await knock(`${url}?token=wrong`);
  await knock(url);
  await knock(url, { origin: "https://evil.example" });
  await knock(url, { host: "a/b" });
  const { text } = await get(app, "/metrics", { headers: bearer(PUBLISHER) });
  const counts: [string, number][] = [["wrong_token", 20], ["no_token", 1], ["origin", 1]];
  for (const [reason, count] of [...counts, ["bad_host", 1], ["full", 0]]) {
    assertStringIncludes(text, `holdfast_clients_refused_total{reason="${reason}"} ${count}\n`);
  }
  const refused = lines.map((line) => JSON.parse(line)).filter(({ event }) =>
    event === "client.refused"
  );
  assertEquals(refused.map(({ reason }) => reason), [
    "wrong_token",
    "no_token",
    "origin",
    "bad_host",
  ]);
  assertEquals([refused[0].address, refused[0].path], ["127.0.0.1", "/ws"]);
  const reader = await WsClient.connect(`${url}?token=${READER}`);
  reader.send({ type: "subscribe", channels: ["notification"] });
  await reader.waitForCode("FORBIDDEN_CHANNEL");
  await reader.close();
  await eventually("it has gone", () => lines.some((line) => line.includes("client.disconnected")));
  const about = lines.map((line) => JSON.parse(line)).filter(({ client_id }) =>
    client_id !== undefined
  );
  assertEquals(about.map(({ event, token_name }) => [event, token_name]), [
    ["client.connected", "reader"],
    ["client.told_error", "reader"],
    ["client.disconnected", "reader"],
  ]);
});

Deno.test("C31: a limited token sees no names of what it may not read", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp({
    backends: {
      visible: quickBackend(backend.url),
      hidden: quickBackend("http://127.0.0.1:1/rpc"),
    },
    sources: [quickSource("agent_status", "visible"), quickSource("hush_hush", "hidden")],
    auth: {
      tokens: [
        { name: "none", token: "none-secret-0123456789", channels: [] },
        { name: "some", token: "some-secret-0123456789", channels: ["agent_*"] },
        { name: "metrics", token: "metrics-secret-0123456789", channels: [], metrics: true },
        { name: "all", token: "all-secret-0123456789" },
      ],
    },
  });
  const ask = (name: string, path: string) =>
    get(app, path, { headers: bearer(`${name}-secret-0123456789`) });
  const unnamed = await get(app, "/readyz");
  assert(!unnamed.text.includes("hush"), unnamed.text);
  const ready = async () => {
    while ((await get(app, "/readyz")).status !== 200);
  };
  await within(ready(), { explain: () => "the sources were not tried" });
  for (const path of ["/status", "/asyncapi.json", "/snapshot", "/snapshot/hush_hush"]) {
    for (const name of ["none", "some", "metrics"]) {
      const { text } = await ask(name, path);
      assert(!/hush|hidden/.test(text.replace('"hush_hush"', "")), `${name} ${path}: ${text}`);
    }
  }
  assertStringIncludes((await ask("all", "/status")).text, "hush_hush");
  const seen = JSON.parse((await ask("some", "/status")).text);
  assertEquals([Object.keys(seen.sources), Object.keys(seen.backends)], [["agent_status"], [
    "visible",
  ]]);
  assertEquals((await ask("some", "/snapshot/hush_hush")).status, 403);
  assertEquals((await ask("some", "/snapshot/there_is_none")).status, 403, "told apart by nobody");
  const scraped = await Promise.all(
    ["none", "some", "metrics", "all"].map(async (name) => (await ask(name, "/metrics")).status),
  );
  assertEquals(scraped, [403, 403, 200, 200]);
});
