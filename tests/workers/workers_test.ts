import type { App } from "../../src/server/app.ts";
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { configOf, startApp, statusOf, wsUrl } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { within } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";
import { clientsOnAll, closeAll, MANY, resumeQuery, say } from "./support.ts";

const SECRET = "publisher-secret-0123456789";
const READER = "reader-secret-0123456789";
const AUTH = {
  tokens: [
    { name: "publisher", token: SECRET, publish: true, channels: ["*"] },
    { name: "reader", token: READER, channels: ["notification", "error"] },
  ],
};

function numbered(client: WsClient): string[] {
  return client.frames.filter(({ seq }) => seq !== undefined)
    .map(({ type, seq, data }) => `${seq} ${type} ${JSON.stringify(data)}`);
}

for (const workers of [2, 3]) {
  Deno.test(`workers ${workers}: clients of every thread are told the same, under the same numbers`, async () => {
    await using backend = new RpcBackend();
    await using app = await startApp({
      workers,
      auth: AUTH,
      backends: { core: quickBackend(backend.url) },
      sources: [quickSource("system_status", "core")],
      hub: { heartbeat_every: "200ms" },
    });
    const clients = await clientsOnAll(app, { query: `?token=${SECRET}`, token: SECRET });
    const welcomes = new Set(clients.map(({ frames }) => frames[0]?.data.epoch));
    assertEquals(welcomes.size, 1);
    for (let title = 0; title < 20; title++) say(app, title);
    await fetch(`${app.url}/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET}` },
      body: JSON.stringify({ channel: "agent_status", data: { load: 0.5 } }),
    });
    backend.setAll("http_500");
    await Promise.all(clients.map((client) => client.waitForCode("CIRCUIT_OPEN")));
    await Promise.all(clients.map((client) => client.waitForBeats(2)));
    const end = Math.min(...clients.map((client) => Number(client.frames.at(-1)?.seq)));
    const from = Math.max(...clients.map(({ frames }) => Number(frames[0]?.data.seq)));
    const stories = clients.map((client) =>
      numbered(client).filter((line) => {
        const seq = parseInt(line);
        return seq > from && seq <= end;
      }).join("\n")
    );
    assertGreater(stories[0]?.length ?? 0, 1000);
    assertEquals(new Set(stories).size, 1, "all tell the same");
    const beats = clients.map((client) =>
      client.frames.findLast(({ type }) => type === "heartbeat")?.data.clients_connected
    );
    assertEquals(new Set(beats), new Set([MANY]));
    await closeAll(clients);
    await eventually("nobody is left", () => app.hub.size === 0);
  });
}

Deno.test("workers: every HTTP answer is the same as that of a hub without", async () => {
  await using one = await startApp({ workers: 1, auth: AUTH });
  await using two = await startApp({ workers: 2, auth: AUTH });
  const bearer = { authorization: `Bearer ${SECRET}` };
  const asked: [string, RequestInit][] = [
    ["/healthz", {}],
    ["/readyz", {}],
    ["/", {}],
    ["/client.js", {}],
    ["/nowhere", {}],
    ["/snapshot", { headers: bearer }],
    ["/snapshot/system_status", { headers: bearer }],
    ["/snapshot/%2e%2e", { headers: bearer }],
    ["/status", {}],
    ["/status", { method: "DELETE" }],
    ["/status?token=wrong", {}],
    ["/ws", { headers: bearer }],
    ["/ws", { headers: { ...bearer, origin: "https://evil.example" } }],
    ["/healthz", { headers: { origin: "https://evil.example" } }],
    ["/events", { method: "HEAD", headers: bearer }],
    ["/incidents?limit=x", { headers: bearer }],
    ["/uptime?for=1h", { headers: bearer }],
    ["/publish", { method: "POST", body: "{", headers: bearer }],
    ["/publish", { method: "POST", body: "{}", headers: { authorization: `Bearer ${READER}` } }],
    ["/publish", { method: "POST", body: "x".repeat(70_000), headers: bearer }],
    ["/publish", { method: "OPTIONS", headers: { origin: "https://a.example" } }],
    ["/poll", { method: "POST", body: `{"channels":["x"]}`, headers: bearer }],
  ];
  const answer = async (app: App, [path, init]: [string, RequestInit]) => {
    const response = await fetch(app.url + path, { redirect: "manual", ...init });
    const headers = [...response.headers].filter(([name]) => name !== "date");
    const text = (await response.text()).replaceAll(new URL(app.url).host, "HOST");
    return { path, method: init.method, status: response.status, headers, text };
  };
  for (const each of asked) assertEquals(await answer(two, each), await answer(one, each));
});

Deno.test("workers: a body counts however it comes", async () => {
  const body = JSON.stringify({ channel: "notification", data: { title: "x".repeat(60_000) } });
  const half = body.length >> 1;
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const length = `content-length: ${body.length}`;
  const requests: { headers: string[]; parts: string[] }[] = [
    { headers: [length], parts: [body] },
    { headers: [length], parts: [body.slice(0, 1), body.slice(1, half), body.slice(half)] },
    {
      headers: ["transfer-encoding: chunked"],
      parts: [chunk(body.slice(0, half)), chunk(body.slice(half)), chunk("")],
    },
    { headers: [length, "expect: 100-continue"], parts: [body] },
    { headers: [length, "expect: 100-continue", "authorization: Bearer wrong"], parts: [body] },
    { headers: ["content-length: 0"], parts: [] },
  ];
  async function answers(workers: number): Promise<string[]> {
    await using app = await startApp({ workers, auth: AUTH });
    const { hostname, port } = new URL(app.url);
    return await Promise.all(requests.map(async ({ headers, parts }) => {
      using connection = await Deno.connect({ hostname, port: Number(port) });
      const [own, given] = [`authorization: Bearer ${SECRET}`, headers.join("\r\n")];
      const head = given.includes("authorization") ? given : `${own}\r\n${given}`;
      const send = (text: string) => connection.write(new TextEncoder().encode(text));
      await send(
        `POST /publish HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n${head}\r\n\r\n`,
      );
      const told = new Response(connection.readable).text();
      for (const part of parts) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        for (let at = 0; at < part.length; at += 8192) await send(part.slice(at, at + 8192));
      }
      return (await told).replace(/date: .*|"seq":\d+/g, "");
    }));
  }
  const [one, two] = [await answers(1), await answers(2)];
  assertEquals(two, one);
  const statuses = one.map((text) => [...text.matchAll(/^HTTP\/1.1 (\d+)/gm)].at(-1)?.[1]);
  assertEquals(statuses, ["202", "202", "202", "202", "401", "400"]);
});

Deno.test("workers: who goes away before it is let in takes no place for long", async () => {
  const hub = { max_clients: 40, request_timeout: "1m" };
  await using app = await startApp({ workers: 2, hub });
  const { hostname, port } = new URL(app.url);
  for (let nth = 0; nth < hub.max_clients; nth++) {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(
      new TextEncoder().encode(
        "GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" +
          "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      ),
    );
  }
  // Of one that goes at the very moment of its upgrade the runtime says nothing.
  const clients: WsClient[] = [];
  const comingIn = async () => {
    while (clients.length < hub.max_clients / 2) {
      await WsClient.connect(wsUrl(app)).then((client) => clients.push(client), () => {});
    }
  };
  await within(comingIn(), { explain: () => `${clients.length} places were given back` });
  await closeAll(clients);
});

Deno.test("workers: limits for each address and for all are those of the whole process", async () => {
  await using app = await startApp({ workers: 3, hub: { max_clients_per_ip: 5 } });
  const clients = await Promise.all(
    Array.from({ length: 5 }, () => WsClient.connect(wsUrl(app))),
  );
  const knock = async () => {
    const response = await fetch(`${app.url}/events`);
    await response.body?.cancel();
    return response.status;
  };
  const refused = await Promise.all(Array.from({ length: 12 }, knock));
  assertEquals(new Set(refused), new Set([429]));
  await clients.pop()?.close();
  let status = 429;
  for (let time = 0; time < 100 && status === 429; time++) {
    status = await knock();
    if (status === 429) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(status, 200, "a place was given back");
  await closeAll(clients);
});

Deno.test("workers: a client resumes on any thread and misses nothing", async () => {
  await using app = await startApp({ workers: 3 });
  let title = 0;
  let query = "?channels=notification";
  const heard: number[] = [];
  for (let life = 0; life < 12; life++) {
    const client = await WsClient.connect(`${wsUrl(app)}${query}`);
    assertEquals(client.frames[0]?.data.gap, false);
    for (let more = 0; more < 5; more++) say(app, title++);
    await client.waitFor(({ data }) => data.title === title - 1);
    await client.close();
    heard.push(
      ...client.frames.filter(({ type }) => type === "notification").map(({ data }) => data.title),
    );
    query = `?channels=notification&${resumeQuery(client)}`;
    for (let missed = 0; missed < 3; missed++) say(app, title++);
  }
  assertEquals(heard, Array.from({ length: heard.length }, (_, at) => at));
  const { workers } = await statusOf(app);
  assertEquals(workers.length, 3);
});

Deno.test("workers: clients that change threads in a flood get every event once, in order", async () => {
  const room = { outbox_messages: 100_000, history_messages: 100_000 };
  await using app = await startApp({ workers: 3, hub: room });
  let title = 0;
  const flood = setInterval(() => {
    for (let nth = 0; nth < 5; nth++) say(app, title++);
  }, 2);
  async function live(): Promise<number[]> {
    const heard: number[] = [];
    let resume = "";
    for (let life = 0; life < 15; life++) {
      const client = await WsClient.connect(`${wsUrl(app)}?channels=notification${resume}`);
      assertEquals(client.frames[0]?.data.gap, false);
      const isEvent = ({ type }: { type: string }) => type === "notification";
      await client.waitForCount(20, isEvent);
      await client.close();
      heard.push(...client.frames.filter(isEvent).map(({ data }) => data.title));
      resume = `&${resumeQuery(client)}`;
    }
    return heard;
  }
  try {
    const lives = await Promise.all(Array.from({ length: 6 }, live));
    for (const heard of lives) {
      assertGreater(heard.length, 15 * 20 - 1);
      assertEquals(heard, Array.from(heard, (_, at) => (heard[0] ?? 0) + at));
    }
  } finally {
    clearInterval(flood);
  }
});

Deno.test("workers: a slow client's end is told to clients of all threads, and to itself on any", async () => {
  await using app = await startApp({
    workers: 2,
    hub: { outbox_messages: 5, heartbeat_every: "100ms" },
  });
  const witnesses = await clientsOnAll(app, { query: "?channels=connection_error" });
  const slow = new WebSocket(`${wsUrl(app)}?channels=connection_error`);
  // Messages that are no JSON, until it is closed for its manners: remembered as a slow one is.
  const closed = new Promise<number>((resolve) => slow.onclose = ({ code }) => resolve(code));
  const { promise: welcomed, resolve: welcome } = Promise.withResolvers<{
    data: { session: string; epoch: string; seq: number };
  }>();
  slow.onmessage = ({ data }) => welcome(JSON.parse(data));
  const { data: { session, epoch, seq } } = await welcomed;
  for (let bad = 0; bad < 20; bad++) slow.send("x");
  assertEquals(await closed, 1008);
  for (let time = 0; time < 8; time++) {
    const query = `?channels=connection_error&session=${session}&epoch=${epoch}&since=${seq}`;
    const back = await WsClient.connect(wsUrl(app) + query);
    assertEquals(back.frames[0]?.data.previous_close, "BAD_MESSAGE");
    await back.close();
  }
  await closeAll(witnesses);
});

Deno.test("workers: a reload takes effect for clients of every thread", async () => {
  const before = { workers: 2, auth: AUTH, channels: { backup_status: {} } };
  await using app = await startApp(before);
  const kept = await clientsOnAll(app, { query: `?token=${SECRET}`, token: SECRET });
  const readers = await clientsOnAll(app, { query: `?token=${READER}`, token: SECRET });
  const [first] = AUTH.tokens;
  await app.reload(
    configOf({ ...before, auth: { tokens: [first] }, channels: { other_status: {} } }),
  );
  const ends = await Promise.all(readers.map((client) => client.waitForEnd()));
  assertEquals(new Set(ends.map(({ code }) => code)), new Set([1008]));
  const told = await Promise.all(
    kept.map((client) => client.waitFor(({ type }) => type === "subscribed")),
  );
  for (const { data } of told) assert(data.channels.includes("other_status"));
  await eventually("the others are gone", () => app.hub.size === MANY);
  await closeAll(kept);
});

Deno.test("workers: a stop tells every client of every thread, each its own time, and closes all", async () => {
  const app = await startApp({ workers: 2, shutdown: { drain: "2s", reconnect_within: "5s" } });
  const clients = await clientsOnAll(app);
  await app.shutdown();
  const told = await Promise.all(clients.map((client) => client.waitForCode("SERVER_SHUTDOWN")));
  const times = told.map(({ data }) => data.data.reconnect_after_ms).sort((a, b) => a - b);
  assert(times.every((ms) => ms >= 1 && ms <= 5000));
  assertGreater(times.at(-1) - times[0], 2000, "spread over the time there is");
  const ends = await Promise.all(clients.map((client) => client.waitForEnd()));
  assertEquals(new Set(ends.map(({ code }) => code)), new Set([1001]));
});

Deno.test("workers: a port that another process' socket has is said to be taken", async () => {
  using taken = Deno.listen(
    { hostname: "127.0.0.1", port: 0, reusePort: true } as Deno.TcpListenOptions,
  );
  const { port } = taken.addr as Deno.NetAddr;
  let error: unknown;
  try {
    await using _app = await startApp({ workers: 2, listen: `127.0.0.1:${port}` });
  } catch (caught) {
    error = caught;
  }
  assert(error instanceof Deno.errors.AddrInUse, String(error));
});
