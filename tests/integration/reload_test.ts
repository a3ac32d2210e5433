import { type JWTPayload, SignJWT } from "jose";
import { startLogs } from "../../src/telemetry/log.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { configOf, startApp, wsUrl } from "../support/hub_in_process.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { ok, ScriptedBackend } from "../support/scripted_backend.ts";
import { SseClient } from "../support/sse_client.ts";
import { type Heard, WsClient } from "../support/ws_client.ts";

const isOf = (channel: string) => ({ type }: Heard) => type === channel;

Deno.test("App.reload() puts a new source before those who want everything, and no others", async () => {
  await using backend = new RpcBackend();
  const backends = { core: quickBackend(backend.url) };
  const first = [quickSource("system_status", "core")];
  await using app = await startApp({ backends, sources: first, hub: { heartbeat_every: "50ms" } });
  await using all = await WsClient.connect(wsUrl(app));
  await using some = await WsClient.connect(`${wsUrl(app)}?channels=system_status,heartbeat`);
  await all.waitFor(isOf("system_status"));

  const added = quickSource("weather", "core", { method: "GetWeather" });
  await app.reload(configOf({ backends, sources: [...first, added] }));
  await all.waitFor(isOf("weather"));
  some.send({ type: "subscribe", channels: ["weather"] });
  assert(!some.frames.some(isOf("weather")), "it named what it wants");
  await some.waitFor(isOf("weather"));

  await app.reload(configOf({ backends, sources: first }));
  const calls = backend.calls("GetWeather");
  await some.waitForBeats(4);
  assert(backend.calls("GetWeather") <= calls + 1, "one may have been under way");
  assertEquals((await fetchJson(`${app.url}/snapshot/weather`)).status, 404);
  const from = all.frames.length;
  all.send({ type: "subscribe", channels: ["weather"] });
  await all.waitForCode("UNKNOWN_CHANNEL", { from });
  assertEquals([all.end, some.end], [undefined, undefined]);
});

async function fetchJson(url: string) {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

Deno.test("App.reload() does not disturb a source that stays as it was", async () => {
  const opened: ScriptedBackend[] = [];
  const settings = (others: object[], url: string) => ({
    backends: { core: quickBackend("http://127.0.0.1:1"), other: quickBackend(url) },
    sources: [quickSource("system_status", "core"), ...others],
    hub: { heartbeat_every: "50ms" },
  });
  await using app = await startApp(settings([], "http://127.0.0.1:2"), {
    openBackend: () => {
      let n = 0;
      const backend = new ScriptedBackend(() => ok(n++));
      opened.push(backend);
      return backend;
    },
  });
  await using client = await WsClient.connect(wsUrl(app));
  await client.waitFor(isOf("system_status"));
  for (let time = 0; time < 5; time++) {
    const others = [quickSource("weather", "other", { every: `${100 + time}ms` })];
    await app.reload(configOf(settings(others, `http://127.0.0.1:${3 + time}`)));
    await client.waitFor(isOf("weather"));
    await client.waitForBeats(2);
  }
  const { length } = client.frames;
  await client.waitFor(isOf("system_status"), { from: length });
  const values = client.frames.filter(isOf("system_status"));
  const numbers = values.map(({ data }) => data.data);
  const [begin = 0] = numbers;
  assertEquals(numbers, numbers.map((_, at) => begin + at), "no value twice, none left out");
  assertEquals(values.filter(({ data }) => data.is_stale), []);
  assertEquals(opened.length, 2 + 5, "the backend that stayed was opened once");
});

Deno.test("App.reload() changes tokens and origins without dropping a client", async () => {
  const token = (name: string, secret: string) => ({ name, token: secret });
  const [old, next] = ["old-secret-0123456789", "new-secret-0123456789"];
  const stays = token("stays", "lasting-secret-0123456789");
  await using app = await startApp({
    auth: { tokens: [token("t", old), stays] },
    hub: { heartbeat_every: "50ms" },
  });
  const knock = async (token: string, origin?: string) => {
    using client = await RawClient.connect(wsUrl(app), {
      authorization: `Bearer ${token}`,
      ...(origin === undefined ? {} : { origin }),
    });
    return client.handshake.status;
  };
  await using client = await WsClient.connect(`${wsUrl(app)}?token=${stays.token}`);
  const page = "https://ops.example.com";
  assertEquals([await knock(old), await knock(next), await knock(old, page)], [101, 401, 403]);
  await app.reload(configOf({
    auth: { tokens: [{ ...stays, name: "renamed" }, token("t", next)] },
    origins: [page],
  }));
  assertEquals([await knock(old), await knock(next), await knock(next, page)], [401, 101, 101]);
  await client.waitForBeats(2);
  assertEquals(client.end, undefined);
});

const REVOKED = { code: 1008, reason: "the token is not valid here any more", clean: true };

Deno.test("C26: who lost its token is closed, and who lost a channel is unsubscribed and told", async () => {
  const tokens = (channels: string[]) => [
    { name: "wide", token: "wide-secret-0123456789", channels },
    { name: "all", token: "all-secret-0123456789" },
    { name: "publisher", token: "publisher-secret-0123456789", publish: true },
  ];
  const gone = { name: "gone", token: "gone-secret-0123456789" };
  const channels = { agent_status: {}, storage_update: {} };
  const auth = (list: object[]) => configOf({ auth: { tokens: list }, channels });
  await using app = await startApp({
    channels,
    auth: { tokens: [...tokens(["agent_*", "storage_update", "heartbeat"]), gone] },
  });
  const connect = (token: string, query = "") =>
    WsClient.connect(`${wsUrl(app)}?token=${token}${query}`);
  await using closed = await connect(gone.token);
  await using stream = await SseClient.connect(`${app.url}/events`, { token: gone.token });
  await using narrowed = await connect("wide-secret-0123456789");
  await using all = await connect("all-secret-0123456789");
  await stream.waitForType("welcome");

  await app.reload(auth(tokens(["agent_*"])));
  assertEquals(await closed.waitForEnd(), REVOKED);
  await stream.waitForEnd();
  const told = await narrowed.waitFor(isOf("subscribed"));
  assertEquals(told.data.channels, ["agent_status"]);
  narrowed.send({ type: "subscribe", channels: ["storage_update"] });
  await narrowed.waitForCode("FORBIDDEN_CHANNEL");

  for (const channel of ["storage_update", "agent_status"]) {
    const response = await fetch(`${app.url}/publish`, {
      method: "POST",
      headers: { authorization: "Bearer publisher-secret-0123456789" },
      body: JSON.stringify({ channel, data: 1 }),
    });
    await response.body?.cancel();
    assertEquals(response.status, 202);
  }
  await all.waitFor(isOf("storage_update"));
  await narrowed.waitFor(isOf("agent_status"));
  assert(!narrowed.frames.some(isOf("storage_update")));
  assert(!all.frames.some(isOf("subscribed")), "nobody else notices anything");
  assertEquals([narrowed.end, all.end], [undefined, undefined]);
});

Deno.test("C26: a JSON Web Token goes with its issuer, and those without token when there is auth", async () => {
  const secret = "a shared secret of thirty-two bytes or more";
  const sign = (claims: JWTPayload) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  const jwt = { secret, issuer: "https://a.example", audience: "hub" };
  await using app = await startApp({ auth: { jwt } });
  const token = await sign({ iss: "https://a.example", aud: ["hub", "other"] });
  await using client = await WsClient.connect(`${wsUrl(app)}?token=${token}`);
  const stays = [{ ...jwt, audience: "other" }, { ...jwt, clock_skew: "1m" }];
  for (const changed of stays) await app.reload(configOf({ auth: { jwt: changed } }));
  await app.reload(configOf({ auth: { jwt: [{ secret: "x".repeat(32) }, jwt] } }));
  assertEquals(client.end, undefined);
  await app.reload(configOf({ auth: { jwt: { ...jwt, issuer: "https://b.example" } } }));
  assertEquals(await client.waitForEnd(), REVOKED);

  await app.reload(configOf({}));
  await using anybody = await WsClient.connect(wsUrl(app));
  await app.reload(configOf({ auth: { jwt } }));
  assertEquals(await anybody.waitForEnd(), REVOKED);
});

Deno.test("App.reload() that cannot be done changes nothing", async () => {
  await using app = await startApp(
    {
      backends: { core: quickBackend("http://127.0.0.1:1") },
      sources: [quickSource("system_status", "core")],
      hub: { heartbeat_every: "50ms" },
    },
    {
      openBackend: (_, name) => {
        if (name === "broken") throw new TypeError("Cannot open broken");
        return new ScriptedBackend(() => ok("value"));
      },
    },
  );
  await using client = await WsClient.connect(wsUrl(app));
  const { config } = app;
  const broken = configOf({
    backends: { broken: quickBackend("http://127.0.0.1:1") },
    sources: [quickSource("system_status", "broken")],
    origins: ["https://ops.example.com"],
    auth: { tokens: [{ name: "t", token: "secret-0123456789-0123" }] },
  });
  await assertRejects(() => app.reload(broken), TypeError, "Cannot open broken");
  assert(app.config === config);
  const from = client.frames.length;
  await client.waitFor(isOf("system_status"), { from });
  await using another = await WsClient.connect(wsUrl(app));
  assertEquals([client.end, another.end], [undefined, undefined]);
});

Deno.test("App.reload() names what waits for a restart, and leaves it as it is", async () => {
  const lines: string[] = [];
  await using _logs = startLogs({
    level: "info",
    format: "json",
    write: (line) => lines.push(line),
  });
  await using app = await startApp({ hub: { heartbeat_every: "50ms" } });
  for (let time = 0; time < 2; time++) {
    const origins = [`https://ops${time}.example.com`];
    await app.reload(configOf({
      origins,
      hub: { heartbeat_every: "1h", max_clients: 1 },
      cluster: { nats: "nats://127.0.0.1:4222" },
      shutdown: { drain: "1s" },
    }));
    const told = JSON.parse(lines.findLast((line) => line.includes("config.reloaded")) ?? "{}");
    const waiting: string[] = told.needs_restart;
    for (const path of ["hub.heartbeat_every", "hub.max_clients", "cluster", "shutdown.drain"]) {
      assert(waiting.some((line) => line.startsWith(path)), `${path} in ${waiting.join("; ")}`);
    }
    assert(told.applied.some((line: string) => line.startsWith("origins")));
    assertEquals(app.config.origins, origins);
  }
  await using client = await WsClient.connect(wsUrl(app));
  await using _another = await WsClient.connect(wsUrl(app));
  await client.waitForBeats(2);
});

Deno.test("SIGHUP reads the file again: a bad one is told of and changes nothing, a good one counts", async () => {
  const file = await Deno.makeTempFile({ prefix: "holdfast-test-", suffix: ".jsonc" });
  try {
    await using backend = new RpcBackend();
    const config = {
      backends: { core: quickBackend(backend.url) },
      sources: [quickSource("system_status", "core")],
      hub: { heartbeat_every: "50ms" },
    };
    const write = (value: object | string) =>
      Deno.writeTextFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
    write(config);
    await using hub = await HubProcess.start(undefined, { args: ["--config", file] });
    await using client = await WsClient.connect(hub.ws());
    await client.waitFor(isOf("system_status"));
    const count = (event: string) => hub.logs.filter((line) => line.event === event).length;

    const bad = [`{ "sources": [`, { ...config, sources: [{ channel: "Bad Name" }] }];
    for (const [at, value] of bad.entries()) {
      write(value);
      hub.signal("SIGHUP");
      await eventually("it is rejected", () => count("config.rejected") === at + 1);
      const line = hub.logs.findLast(({ event }) => event === "config.rejected");
      assertEquals(line?.level, "error");
      assert(JSON.stringify(line?.problems).includes(file));
      await client.waitFor(isOf("system_status"), { from: client.frames.length });
    }

    assertEquals(count("poll.ok"), 0, "debug lines are not written yet");
    const weather = quickSource("weather", "core", { method: "GetWeather" });
    write({ ...config, sources: [...config.sources, weather], log: { level: "debug" } });
    hub.signal("SIGHUP");
    await client.waitFor(isOf("weather"));
    await eventually("the level is lower", () => count("poll.ok") > 0);
    write({ ...config, log: { level: "info" } });
    hub.signal("SIGHUP");
    await eventually("it is reloaded", () => count("config.reloaded") === 2);
    assertEquals(client.end, undefined);
    assertEquals(await hub.stop(), 0);
  } finally {
    await Deno.remove(file);
  }
});
