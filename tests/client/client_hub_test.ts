import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { ScriptedHub } from "../support/scripted_hub.ts";
import { type ClientEvents, ClientStoppedError, HoldfastClient } from "../../src/client/mod.ts";

const QUICK = { minMs: 1, maxMs: 20 };

function next<Type extends keyof ClientEvents>(
  client: HoldfastClient,
  type: Type,
  matches: (event: ClientEvents[Type]) => boolean = () => true,
): Promise<ClientEvents[Type]> {
  return new Promise((resolve) => {
    const off = client.on(type, (event) => {
      if (!matches(event)) return;
      off();
      resolve(event);
    });
  });
}

Deno.test("HoldfastClient speaks with a hub over a real socket", async () => {
  await using hub = new ScriptedHub();
  await using client = new HoldfastClient(hub.url, {
    channels: ["system_status", "notification"],
    token: "tøken",
  });
  const connection = await hub.arrival();
  assertEquals(connection.query, {
    channels: "system_status,notification,heartbeat,error",
    batch: "1",
    delta: "1",
  });
  assertEquals(connection.protocols, ["holdfast", "holdfast.token.dMO4a2Vu"]);
  assertEquals((await client.opened()).session, "session-1");

  const states = client.watch("system_status");
  assertEquals((await states.next()).value?.kind, "never_seen");
  const notes = client.events("notification");
  const status = { data: { load: 1 }, is_stale: false, cached_at: 1, age_ms: 0 };
  connection.sendBatch(["system_status", status, 1], ["notification", { title: "hello" }, 2]);
  const state = (await states.next()).value;
  assertEquals(state?.kind === "live" && state.data, { load: 1 });
  assertEquals((await notes.next()).value, { title: "hello" });

  client.subscribe("storage_update");
  assertEquals(await connection.message(), { type: "subscribe", channels: ["storage_update"] });
  await client.close();
  await connection.ended;
});

Deno.test("HoldfastClient resumes at a hub that comes back on the same port", async () => {
  let hub = new ScriptedHub();
  const { port, url } = hub;
  await using client = new HoldfastClient(url, { backoff: QUICK });
  const connection = await hub.arrival();
  await client.opened();
  const noted = next(client, "notification");
  connection.send("notification", { title: "a" }, 41);
  await noted;
  await hub[Symbol.asyncDispose]();
  await next(
    client,
    "state",
    (state) => state.kind === "waiting" && state.reason === "the hub cannot be reached",
  );
  assertEquals(client.read("system_status").kind, "never_seen");

  hub = new ScriptedHub({ port, script: (each) => each.welcome({ recovered: true, seq: 41 }) });
  await using _ = hub;
  const { session, epoch, since } = (await hub.arrival()).query;
  assertEquals([session, epoch, since], ["session-1", "epoch-1", "41"]);
  assertEquals((await client.opened()).recovered, true);
});

Deno.test("HoldfastClient learns from the door that its token is wrong, and goes on with another", async () => {
  await using hub = new ScriptedHub({
    door: (request) => {
      const { headers } = request;
      const offered = headers.get("sec-websocket-protocol") ?? headers.get("authorization") ?? "";
      return /Z29vZA|Bearer good/.test(offered) ? undefined : new Response("no", { status: 401 });
    },
  });
  await using client = new HoldfastClient(hub.url, { token: "bad", backoff: QUICK });
  const stopped = await assertRejects(() => client.opened(), ClientStoppedError);
  assertEquals(stopped.code, "unauthorized");
  assertEquals(hub.requests, ["UPGRADE /ws", "GET /ws"]);
  client.reconnect({ token: "good" });
  await next(client, "welcome");
});

Deno.test("HoldfastClient finds 401 behind /snapshot where /ws asks for an upgrade first", async () => {
  await using hub = new ScriptedHub({
    door: (request) => {
      const isPlain = request.headers.get("upgrade") === null;
      if (isPlain && request.url.endsWith("/ws")) return new Response("", { status: 426 });
      return new Response("no", { status: 401 });
    },
  });
  await using client = new HoldfastClient(hub.url, { backoff: QUICK });
  await assertRejects(() => client.opened(), ClientStoppedError, "HTTP 401");
  assertEquals(hub.requests, ["UPGRADE /ws", "GET /ws", "GET /snapshot"]);
});

Deno.test("HoldfastClient heeds Retry-After of a full hub", async () => {
  await using hub = new ScriptedHub({
    door: () => new Response("full", { status: 503, headers: { "retry-after": "3600" } }),
  });
  await using client = new HoldfastClient(hub.url, { backoff: QUICK });
  const state = await next(client, "state", ({ kind }) => kind === "waiting");
  assert(state.kind === "waiting" && state.waitMs >= 3_600_000);
  assertEquals(state.reason, "the hub takes no clients just now (HTTP 503)");
});

Deno.test("HoldfastClient leaves no old connection open in a storm", async () => {
  await using hub = new ScriptedHub({
    script: (connection) => {
      connection.welcome();
      void connection.close(1011, "the connection could not be written to");
    },
  });
  await using client = new HoldfastClient(hub.url, { backoff: QUICK });
  for (let turn = 0; turn < 30; turn++) await hub.arrival();
  await client.close();
  await Promise.all(hub.connections.map(({ ended }) => ended));
  // The hub may hear of the end of one connection just after the beginning of the next.
  assert(hub.mostOpen <= 2, `${hub.mostOpen} at once`);
});

Deno.test("HoldfastClient survives a hub that closes at once with 1008: it stops", async () => {
  await using hub = new ScriptedHub({
    script: (connection) => {
      connection.welcome();
      void connection.close(1008, "the token has expired");
    },
  });
  await using client = new HoldfastClient(hub.url, { backoff: QUICK });
  const state = await next(client, "state", ({ kind }) => kind === "stopped");
  assertEquals(state, {
    kind: "stopped",
    code: "unauthorized",
    reason: "the token has expired (code 1008)",
  });
  assertEquals(hub.connections.length, 1);
});

Deno.test("HoldfastClient.close() while the handshake is under way leaves nothing behind", async () => {
  const gate = Promise.withResolvers<void>();
  await using listener = asyncListener(gate.promise);
  const client = new HoldfastClient(`http://127.0.0.1:${listener.port}`);
  await listener.connected;
  await client.close();
  gate.resolve();
  assertEquals(client.state.kind, "closed");
});

/** Accepts one TCP connection and says nothing until `until`. */
function asyncListener(until: Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const connected = listener.accept();
  return {
    port,
    connected,
    async [Symbol.asyncDispose]() {
      await until;
      (await connected).close();
      listener.close();
    },
  };
}
