import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import {
  beatFrame,
  errorFrame,
  FakeNetwork,
  noteFrame,
  statusFrame,
  welcomeFrame,
} from "./fake_socket.ts";
import {
  type ChannelState,
  type ClientOptions,
  ClientStoppedError,
  HoldfastClient,
} from "../../src/client/mod.ts";

interface Rig extends AsyncDisposable {
  clock: FakeClock;
  network: FakeNetwork;
  client: HoldfastClient;
  states: string[];
}

/** A client on fake time with sockets of the test's own; the door says nothing unless told. */
function rig(options: ClientOptions = {}): Rig {
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const client = new HoldfastClient("http://hub.test", {
    clock,
    WebSocket: network.WebSocket,
    askDoor: options.fetch !== undefined,
    random: () => 0.5,
    ...options,
  });
  const states: string[] = [];
  client.on("state", ({ kind }) => states.push(kind));
  return {
    clock,
    network,
    client,
    states,
    async [Symbol.asyncDispose]() {
      await client.close();
      assertEquals(network.open, 0, "a socket was left open");
      assertEquals(clock.sleeping, 0, "a timer was left behind");
    },
  };
}

Deno.test("HoldfastClient names its channels, its own ones with them, and offers the token as a subprotocol", async () => {
  await using it = rig({ channels: ["system_status"], token: "süß?>" });
  await settle();
  const { url, protocols } = it.network.last;
  assertEquals(url.origin + url.pathname, "ws://hub.test/ws");
  assertEquals(url.searchParams.get("channels"), "system_status,heartbeat,error");
  assertEquals(url.searchParams.get("batch"), "1");
  assertEquals(url.searchParams.has("token"), false);
  assertEquals(protocols, ["holdfast", "holdfast.token.c8O8w58_Pg"]);
});

Deno.test("HoldfastClient names no channels, and no subprotocol, when none are asked for", async () => {
  await using it = rig({ batch: false, delta: false });
  await settle();
  assertEquals(it.network.last.url.search, "");
  assertEquals(it.network.last.protocols, []);
});

Deno.test("HoldfastClient hides its own channels from a user who did not ask", async () => {
  await using it = rig({ channels: ["system_status"] });
  const heard: string[] = [];
  it.client.on("heartbeat", () => heard.push("heartbeat"));
  it.client.on("error", ({ code }) => heard.push(code));
  it.client.on("frame", ({ type }) => heard.push(type));
  await settle();
  it.network.last.welcome();
  it.network.last.give(
    beatFrame(1),
    errorFrame("RPC_FAILURE", { type: "rpc_error", seq: 2 }),
    errorFrame("FORBIDDEN_CHANNEL", { data: { channel: "heartbeat" } }),
    errorFrame("BAD_MESSAGE"),
    statusFrame(1, 3),
  );
  assertEquals(heard, ["welcome", "BAD_MESSAGE", "error", "system_status"]);
});

Deno.test("HoldfastClient shows errors and heartbeats to a user who asked", async () => {
  await using it = rig({ channels: ["heartbeat", "error"] });
  const heard: string[] = [];
  it.client.on("heartbeat", () => heard.push("heartbeat"));
  it.client.on("error", ({ code }) => heard.push(code));
  await settle();
  it.network.last.welcome();
  it.network.last.give(beatFrame(1), errorFrame("RPC_FAILURE", { type: "rpc_error", seq: 2 }));
  assertEquals(heard, ["heartbeat", "RPC_FAILURE"]);
});

Deno.test("HoldfastClient comes back with full jitter and resumes after the last event", async () => {
  await using it = rig();
  const waits: number[] = [];
  it.client.on("state", (state) => state.kind === "waiting" && waits.push(state.waitMs));
  await settle();
  it.network.last.welcome({ seq: 7 });
  it.network.last.give(noteFrame("a", 8), noteFrame("b", 9));
  it.network.last.drop();
  await settle();
  assertEquals(waits, [250]); // half of the first nominal wait, as random() says
  await it.clock.advance(249);
  assertEquals(it.network.sockets.length, 1);
  await it.clock.advance(1);
  const { searchParams } = it.network.last.url;
  assertEquals(it.network.sockets.length, 2);
  assertEquals([searchParams.get("session"), searchParams.get("epoch")], ["s1", "e1"]);
  assertEquals(searchParams.get("since"), "9");
  it.network.last.drop();
  await it.clock.advance(500);
  it.network.last.drop();
  await settle();
  assertEquals(waits, [250, 500, 1000]);
});

Deno.test("HoldfastClient begins the backoff anew only after a connection that held", async () => {
  await using it = rig();
  const waits: number[] = [];
  it.client.on("state", (state) => state.kind === "waiting" && waits.push(state.waitMs));
  for (const heldMs of [0, 9_999, 10_000, 0]) {
    await it.clock.advance(waits.at(-1) ?? 0);
    it.network.last.welcome();
    await it.clock.advance(heldMs);
    it.network.last.drop();
    await settle();
  }
  assertEquals(waits, [250, 500, 250, 500]);
});

Deno.test("HoldfastClient does not resume past events that a heartbeat overtook", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome({ seq: 3 });
  it.network.last.give(noteFrame("a", 4), beatFrame(90));
  it.network.last.drop();
  await it.clock.advance(250);
  assertEquals(it.network.last.url.searchParams.get("since"), "4");
});

Deno.test("HoldfastClient shows a replayed event once, and a gap only if there is one", async () => {
  await using it = rig();
  const titles: string[] = [];
  const gaps: unknown[] = [];
  it.client.on("notification", ({ title }) => titles.push(title));
  it.client.on("gap", (gap) => gaps.push(gap));
  await settle();
  it.network.last.welcome();
  it.network.last.give(noteFrame("a", 1), noteFrame("b", 2));
  it.network.last.drop();
  await it.clock.advance(250);
  it.network.last.welcome({ recovered: true, seq: 3 });
  it.network.last.give(noteFrame("b", 2), noteFrame("c", 3));
  assertEquals(titles, ["a", "b", "c"]);
  assertEquals(gaps, []);
  it.network.last.drop();
  await it.clock.advance(500);
  it.network.last.welcome({ gap: true, epoch: "e2", seq: 1 });
  it.network.last.give(noteFrame("d", 2));
  assertEquals(titles, ["a", "b", "c", "d"]);
  assertEquals(gaps, [{ since: 3, epoch: "e1", isNewEpoch: true }]);
});

Deno.test("HoldfastClient comes back when SERVER_SHUTDOWN said", async () => {
  await using it = rig();
  const codes: string[] = [];
  it.client.on("error", ({ code }) => codes.push(code));
  await settle();
  it.network.last.welcome();
  const data = { reconnect_after_ms: 4321, deadline_ms: 3000 };
  it.network.last.give(errorFrame("SERVER_SHUTDOWN", { data }));
  await it.clock.advance(321);
  it.network.last.drop(1001, "the hub is shutting down");
  await it.clock.advance(3999);
  assertEquals(it.network.sockets.length, 1);
  await it.clock.advance(1);
  assertEquals(it.network.sockets.length, 2);
  assertEquals(codes, ["SERVER_SHUTDOWN"]);
});

Deno.test("HoldfastClient leaves a hub that said goodbye and does not go", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome();
  const data = { reconnect_after_ms: 5000, deadline_ms: 3000 };
  it.network.last.give(errorFrame("SERVER_SHUTDOWN", { data }));
  await it.clock.advance(4000);
  assertEquals(it.client.state.kind, "waiting");
  await it.clock.advance(1000);
  assertEquals(it.network.sockets.length, 2);
});

Deno.test("HoldfastClient does not come back after 1008, and says why", async () => {
  await using it = rig();
  await settle();
  const reader = it.client.events("notification");
  const read = reader.next();
  it.network.last.welcome();
  it.network.last.drop(1008, "too many messages a second");
  const stopped = await assertRejects(() => read, ClientStoppedError);
  assertEquals(stopped.code, "policy");
  assertEquals(it.client.state, {
    kind: "stopped",
    code: "policy",
    reason: "too many messages a second (code 1008)",
  });
  await assertRejects(() => it.client.opened(), ClientStoppedError);
  await it.clock.advance(3_600_000);
  assertEquals(it.network.sockets.length, 1);
});

Deno.test("HoldfastClient asks a shut door why, and stops at 401 until it has another token", async () => {
  const asked: [string, string | undefined][] = [];
  await using it = rig({
    token: "old",
    fetch: (url, init) => {
      const headers = init.headers as Record<string, string>;
      asked.push([url, headers["authorization"]]);
      return Promise.resolve(new Response("no", { status: 401 }));
    },
  });
  await settle();
  it.network.last.drop();
  await settle();
  assertEquals(asked, [["http://hub.test/ws", "Bearer old"]]);
  assertEquals(it.client.state, {
    kind: "stopped",
    code: "unauthorized",
    reason: "the hub refused the token (HTTP 401)",
  });
  await it.clock.advance(3_600_000);
  assertEquals(it.network.sockets.length, 1);

  it.client.reconnect({ token: "new" });
  await settle();
  assertEquals(it.network.last.protocols, ["holdfast", "holdfast.token.bmV3"]);
  it.network.last.welcome();
  assertEquals(it.client.state.kind, "open");
});

Deno.test("HoldfastClient.reconnect() in a loop does not hammer a hub that refuses", async () => {
  await using it = rig({
    fetch: () => Promise.resolve(new Response("no", { status: 401 })),
  });
  it.client.on("state", ({ kind }) => kind === "stopped" && it.client.reconnect());
  const answer = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      await it.clock.advance(250);
      if (it.network.last.readyState === 0) it.network.last.drop();
    }
  };
  await answer(60_000);
  const early = it.network.sockets.length;
  await answer(60_000);
  assert(early <= 12, `${early} attempts in the first minute`);
  assert(it.network.sockets.length - early <= 5, "and no slower in the second");
});

Deno.test("HoldfastClient waits at least as long as Retry-After says", async () => {
  await using it = rig({
    fetch: () =>
      Promise.resolve(new Response("full", { status: 503, headers: { "retry-after": "7" } })),
  });
  await settle();
  it.network.last.drop();
  await settle();
  assertEquals(it.client.state, {
    kind: "waiting",
    waitMs: 7250,
    reason: "the hub takes no clients just now (HTTP 503)",
  });
});

Deno.test("HoldfastClient counts a hub silent for two and a half beats as dead", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome({ heartbeat_ms: 1000 });
  it.network.last.answersClose = false;
  await it.clock.advance(2000);
  it.network.last.give(beatFrame(1));
  await it.clock.advance(2499);
  assertEquals(it.client.state.kind, "open");
  await it.clock.advance(1);
  assertEquals(it.client.state, {
    kind: "waiting",
    waitMs: 250,
    reason: "the hub was silent for 2500 ms",
  });
  assert(it.network.last.terminated);
});

Deno.test("HoldfastClient pings a hub whose heartbeat its token does not allow", async () => {
  await using it = rig({ channels: ["system_status"] });
  await settle();
  it.network.last.welcome({ heartbeat_ms: 1000, channels: ["system_status"] });
  for (let beat = 0; beat < 5; beat++) {
    await it.clock.advance(1000);
    assertEquals(it.network.last.sent.at(-1), { type: "ping" });
    it.network.last.give({ type: "pong", timestamp: 1, data: {} });
  }
  assertEquals(it.client.state.kind, "open");
});

Deno.test("HoldfastClient has never more than one socket, also while old ones will not close", async () => {
  await using it = rig();
  let most = 0;
  for (let storm = 0; storm < 20; storm++) {
    await it.clock.advance(2_500);
    const { last } = it.network;
    last.answersClose = false;
    last.terminate = () => last.drop(); // what a runtime does for us once it was given up
    if (last.readyState === 0) last.welcome({ heartbeat_ms: 100 });
    it.client.reconnect();
    it.client.reconnect();
    await settle();
    most = Math.max(most, it.network.open);
  }
  assertEquals(most, 1);
  assert(it.network.sockets.length >= 20);
  it.network.last.drop();
});

Deno.test("HoldfastClient gives up on a hub that neither opens nor welcomes", async () => {
  await using it = rig({ openTimeoutMs: 2000 });
  await it.clock.advance(2000);
  assertEquals(it.client.state, {
    kind: "waiting",
    waitMs: 250,
    reason: "the hub did not answer within 2000 ms",
  });
  await it.clock.advance(250);
  it.network.last.open();
  await it.clock.advance(2000);
  assertEquals(it.states, ["connecting", "waiting", "connecting", "waiting"]);
});

Deno.test("HoldfastClient bears a WebSocket that fails without closing, as that of Node 20", async () => {
  await using it = rig();
  await settle();
  it.network.last.fail();
  await settle();
  assertEquals(it.client.state, {
    kind: "waiting",
    waitMs: 250,
    reason: "the hub cannot be reached",
  });
});

Deno.test("HoldfastClient leaves what does not speak the protocol", async () => {
  for (const text of ["nonsense", "17", '[{"type":7}]', new Uint8Array(2)]) {
    await using it = rig();
    await settle();
    it.network.last.welcome();
    it.network.last.giveText(text);
    await settle();
    const { state } = it.client;
    assertEquals(
      state.kind === "waiting" && state.reason,
      "the hub sent something that is not a frame",
    );
  }
});

Deno.test("HoldfastClient takes batches, and drops what follows a listener's close()", async () => {
  await using it = rig();
  const titles: string[] = [];
  it.client.on("notification", ({ title }) => {
    titles.push(title);
    if (title === "b") void it.client.close();
  });
  await settle();
  it.network.last.welcome();
  it.network.last.giveText(
    JSON.stringify([noteFrame("a", 1), noteFrame("b", 2), noteFrame("c", 3)]),
  );
  assertEquals(titles, ["a", "b"]);
});

Deno.test("HoldfastClient.read() tells never seen, live and stale, with an age that ticks", async () => {
  await using it = rig({ channels: ["system_status"] });
  assertEquals(it.client.read("system_status"), {
    kind: "never_seen",
    channel: "system_status",
    why: "hub unreachable",
  });
  await settle();
  it.network.last.welcome();
  const whyOf = (channel: string) => {
    const state = it.client.read(channel);
    return state.kind === "live" ? undefined : state.why;
  };
  assertEquals(whyOf("system_status"), "no value yet");
  assertEquals(whyOf("storage_update"), "not subscribed");
  it.network.last.give(statusFrame({ load: 1 }, 1, { age_ms: 40 }));
  await it.clock.advance(60);
  assertEquals(it.client.read("system_status"), {
    kind: "live",
    channel: "system_status",
    data: { load: 1 },
    cachedAt: 1764000000,
    ageMs: 100,
  });
  it.network.last.drop();
  await settle();
  await it.clock.advance(200);
  assertEquals(it.client.read("system_status"), {
    kind: "stale",
    channel: "system_status",
    data: { load: 1 },
    cachedAt: 1764000000,
    ageMs: 300,
    why: "hub unreachable",
    staleSince: FakeClock.EPOCH,
    staleForMs: 200,
  });
  await it.clock.advance(50);
  it.network.last.welcome();
  assertEquals(whyOf("system_status"), "no value since the reconnection");
  it.network.last.give(statusFrame({ load: 2 }, 2));
  assertEquals(it.client.read("system_status").kind, "live");
});

Deno.test("HoldfastClient dates staleness from the last sign of life of a hub that fell silent", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome({ heartbeat_ms: 1000 });
  it.network.last.give(statusFrame(1, 1));
  await it.clock.advance(2500);
  const state = it.client.read("system_status");
  assertEquals(state.kind === "stale" && state.staleForMs, 2500);
});

Deno.test("HoldfastClient.watch() gives the state, then the latest of each change", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome();
  const watched = it.client.watch("system_status");
  assertEquals((await watched.next()).value?.kind, "never_seen");
  it.network.last.give(statusFrame(1, 1), statusFrame(2, 2), statusFrame(3, 3));
  const latest = (await watched.next()).value;
  assertEquals(latest?.kind === "live" && latest.data, 3);
  assertEquals(watched.dropped, 2);
  const lost = watched.next();
  it.network.last.drop();
  assertEquals((await lost).value?.kind, "stale");
  const end = watched.next();
  await it.client.close();
  const rest = [await end, await watched.next()].find(({ done }) => done);
  assertEquals(rest, { done: true, value: undefined });
});

Deno.test("C24: HoldfastClient tells of a channel when it changes, not at each attempt that fails", async () => {
  const channels = ["system_status", "storage_update"];
  await using it = rig({ channels });
  const told: string[] = [];
  const why = (state: ChannelState) => state.kind === "live" ? "" : ` ${state.why}`;
  it.client.on("status", (state) => told.push(`${state.channel} ${state.kind}${why(state)}`));
  const inbox = it.client.watch("storage_update")[Symbol.asyncIterator]();
  const seen: string[] = [];
  void (async () => {
    for (let next = await inbox.next(); !next.done; next = await inbox.next()) {
      seen.push(`${next.value.kind}${why(next.value)}`);
    }
  })();
  await settle();
  it.network.last.welcome({ channels });
  it.network.last.give(statusFrame(1, 1));
  for (let attempt = 0; attempt < 20; attempt++) {
    it.network.last.drop();
    await it.clock.advance(30_000);
  }
  const unreachable = [
    "system_status stale hub unreachable",
    "storage_update never_seen hub unreachable",
  ];
  const begin = ["storage_update never_seen no value yet", "system_status live"];
  assertEquals(told, [...begin, ...unreachable]);
  assertEquals(seen, [
    "never_seen hub unreachable",
    "never_seen no value yet",
    "never_seen hub unreachable",
  ]);
  while (it.network.last.readyState !== 0) await it.clock.advance(1000);
  it.network.last.welcome({ channels });
  it.network.last.give(statusFrame(2, 2), statusFrame(2, 3));
  assertEquals(told.slice(4), [
    "system_status stale no value since the reconnection",
    "storage_update never_seen no value yet",
    "system_status live",
    "system_status live",
  ]);
});

/** A value of which little changes, by a hub that tells what changed. */
function deltaFrame(seq: number, told: object) {
  const data = { ...told, is_stale: false, cached_at: 1764000000, age_ms: 0 };
  return { type: "system_status", timestamp: 1764000000, seq, data };
}

Deno.test("HoldfastClient asks what changed of values, and shows nothing of it", async () => {
  await using it = rig({ channels: ["system_status"] });
  const seen: unknown[] = [];
  it.client.on("frame", ({ type, data }) => type === "system_status" && seen.push(data));
  await settle();
  assertEquals(it.network.last.url.searchParams.get("delta"), "1");
  it.network.last.welcome();
  it.network.last.give(
    deltaFrame(1, { rev: 7, data: { cpu: 1, disks: [{ free: 5 }, { free: 6 }] } }),
    deltaFrame(2, { rev: 8, base: 7, patch: [{ op: "replace", path: "/disks/1/free", value: 9 }] }),
    deltaFrame(3, { rev: 8, same: true }),
    deltaFrame(4, { rev: 9, base: 8, patch: [{ op: "remove", path: "/cpu" }] }),
  );
  const told = { is_stale: false, cached_at: 1764000000, age_ms: 0 };
  const second = { cpu: 1, disks: [{ free: 5 }, { free: 9 }] };
  assertEquals(seen, [
    { data: { cpu: 1, disks: [{ free: 5 }, { free: 6 }] }, ...told },
    { data: second, ...told },
    { data: second, ...told },
    { data: { disks: [{ free: 5 }, { free: 9 }] }, ...told },
  ]);
  const state = it.client.read("system_status");
  assert(state.kind === "live");
  assertEquals(state.data, { disks: [{ free: 5 }, { free: 9 }] });
  // An event may have members of the same names, which mean nothing then.
  const note = { title: "t", rev: 3, same: true };
  it.client.subscribe("notification");
  const events = it.client.events("notification")[Symbol.asyncIterator]();
  it.network.last.give({ type: "notification", timestamp: 1, seq: 5, data: note });
  assertEquals((await events.next()).value, note);
});

Deno.test("HoldfastClient leaves a hub whose changes do not fit, and gets whole values again", async () => {
  const misfits = [
    { rev: 9, base: 8, patch: [] },
    { rev: 8, base: 7, patch: [{ op: "replace", path: "/nothing", value: 1 }] },
    { rev: 8, base: 7, patch: "nonsense" },
    { rev: 8, base: 7, patch: [null] },
  ];
  for (const misfit of misfits) {
    await using it = rig({ channels: ["system_status"] });
    await settle();
    it.network.last.welcome();
    it.network.last.give(deltaFrame(1, { rev: 7, data: { cpu: 1 } }), deltaFrame(2, misfit));
    await settle();
    assertEquals(it.client.state.kind, "waiting", JSON.stringify(misfit));
    const before = it.network.last;
    while (it.network.last === before) await it.clock.advance(1000);
    it.network.last.welcome();
    it.network.last.give(deltaFrame(3, { rev: 8, same: true }));
    await settle();
    assertEquals(it.client.state.kind, "waiting", "what another connection had does not count");
  }
});

Deno.test("HoldfastClient.events() keeps order, is bounded, and counts what it dropped", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome();
  const reader = it.client.events("notification", { bound: 2 });
  it.network.last.give(noteFrame("a", 1), noteFrame("b", 2), noteFrame("c", 3));
  assertEquals((await reader.next()).value?.title, "b");
  assertEquals((await reader.next()).value?.title, "c");
  assertEquals(reader.dropped, 1);
});

Deno.test("HoldfastClient.events() of error brings all three types, of rpc_error the one", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome();
  const all = it.client.events("error");
  const rpc = it.client.events("rpc_error");
  it.network.last.give(
    errorFrame("CLIENT_DISCONNECTED", { type: "connection_error", seq: 1 }),
    errorFrame("CIRCUIT_OPEN", { type: "rpc_error", seq: 2 }),
  );
  assertEquals((await all.next()).value?.code, "CLIENT_DISCONNECTED");
  assertEquals((await all.next()).value?.code, "CIRCUIT_OPEN");
  assertEquals((await rpc.next()).value?.code, "CIRCUIT_OPEN");
});

Deno.test("HoldfastClient.watch() and events() name what was wrong", async () => {
  await using it = rig({ channels: ["system_status"] });
  assertThrows(() => it.client.watch("notification"), RangeError, "not a status channel");
  assertThrows(() => it.client.watch("storage_update"), RangeError, "call subscribe() first");
  assertThrows(() => it.client.events("notification"), RangeError, "call subscribe() first");
  assertThrows(() => it.client.subscribe("Bad Name"), RangeError, '"Bad Name"');
  assertThrows(() => it.client.reconnect({ token: "" }), RangeError, "'token'");
});

Deno.test("HoldfastClient.subscribe() sends one message for changes made in one go", async () => {
  await using it = rig({ channels: ["system_status"] });
  await settle();
  it.client.subscribe("storage_update"); // while connecting: told after the welcome
  it.network.last.welcome({ channels: ["system_status", "heartbeat", "error"] });
  await settle();
  assertEquals(it.network.last.sent, [{ type: "subscribe", channels: ["storage_update"] }]);
  it.client.subscribe("agent_status");
  it.client.subscribe("notification", "heartbeat");
  it.client.unsubscribe("system_status");
  await settle();
  assertEquals(it.network.last.sent.slice(1), [
    { type: "subscribe", channels: ["agent_status", "notification"] },
    { type: "unsubscribe", channels: ["system_status"] },
  ]);
  it.network.last.drop();
  await it.clock.advance(250);
  assertEquals(
    it.network.last.url.searchParams.get("channels"),
    "storage_update,agent_status,notification,heartbeat,error",
  );
});

Deno.test("HoldfastClient.unsubscribe() of one of all channels holds over a reconnection", async () => {
  await using it = rig();
  const shown: string[] = [];
  it.client.on("frame", ({ type }) => shown.push(type));
  await settle();
  it.network.last.welcome();
  it.client.unsubscribe("notification", "heartbeat");
  await settle();
  const goodbye = { type: "unsubscribe", channels: ["notification"] };
  assertEquals(it.network.last.sent, [goodbye]);
  it.network.last.drop();
  await it.clock.advance(250);
  it.network.last.welcome();
  it.network.last.give(noteFrame("crossed it", 1), beatFrame(2), statusFrame(1, 3));
  await settle();
  assertEquals(it.network.last.sent, [goodbye]);
  assertEquals(shown, ["welcome", "welcome", "system_status"]);
});

Deno.test("C13: HoldfastClient.unsubscribe() of a channel that came to be since tells the hub", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome({ channels: ["system_status", "heartbeat", "error"] });
  it.client.unsubscribe("agent_status");
  await settle();
  assertEquals(it.network.last.sent, [], "the hub does not send it");
  const channels = ["system_status", "heartbeat", "error", "agent_status", "b"];
  it.network.last.give({ type: "subscribed", timestamp: 1, data: { channels } });
  await settle();
  assertEquals(it.network.last.sent, [{ type: "unsubscribe", channels: ["agent_status"] }]);
  it.client.unsubscribe("b");
  await settle();
  assertEquals(it.network.last.sent.slice(1), [{ type: "unsubscribe", channels: ["b"] }]);
});

Deno.test("HoldfastClient asks a token function before each connection, and waits when it fails", async () => {
  const answers = ["first", new Error("secret place"), "second"];
  await using it = rig({
    token: () => {
      const answer = answers.shift();
      if (typeof answer === "string") return answer;
      return Promise.reject(answer);
    },
  });
  await settle();
  assertEquals(it.network.last.protocols.at(-1), `holdfast.token.${btoa("first").slice(0, 7)}`);
  it.network.last.drop();
  await it.clock.advance(250);
  assertEquals(it.client.state, {
    kind: "waiting",
    waitMs: 500,
    reason: "the token function failed (Error)",
  });
  await it.clock.advance(500);
  assertEquals(it.network.last.protocols.at(-1), `holdfast.token.${btoa("second")}`);
});

Deno.test("HoldfastClient with a token function renews an expired token, but stops at 401", async () => {
  await using it = rig({
    token: () => "fresh",
    fetch: () => Promise.resolve(new Response("no", { status: 401 })),
  });
  await settle();
  it.network.last.welcome();
  it.network.last.drop(1008, "the token has expired");
  await it.clock.advance(250);
  assertEquals(it.network.sockets.length, 2);
  it.network.last.drop();
  await settle();
  assertEquals(it.client.state.kind, "stopped");
});

Deno.test("HoldfastClient stops, without quoting the token, where the runtime opens no socket", async () => {
  const clock = new FakeClock();
  const WebSocket = class {
    constructor(_url: string, protocols: string[]) {
      throw new DOMException(`bad protocols ${protocols}`, "SyntaxError");
    }
  } as unknown as ClientOptions["WebSocket"] & object;
  await using client = new HoldfastClient("ws://hub.test", { clock, WebSocket, token: "secret" });
  await settle();
  assertEquals(client.state, {
    kind: "stopped",
    code: "unusable",
    reason: "the runtime would not open a WebSocket (SyntaxError)",
  });
});

Deno.test("HoldfastClient.close() ends waits, iterators and a connection that does not answer", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome();
  const { last } = it.network;
  last.answersClose = false;
  const read = it.client.events("notification").next();
  const closed = it.client.close();
  assertEquals(it.client.state.kind, "closed");
  assertEquals(await read, { done: true, value: undefined });
  await it.clock.advance(2000);
  await closed;
  assert(last.terminated);
  assertEquals(it.states.at(-1), "closed");
  await assertRejects(() => it.client.opened(), Error, "closed");
  assertEquals((await it.client.watch("system_status").next()).done, true);
});

Deno.test("HoldfastClient.close() before the first attempt makes no socket", async () => {
  await using it = rig();
  await it.client.close();
  await settle();
  assertEquals(it.network.sockets.length, 0);
});

Deno.test("HoldfastClient.opened() resolves with the welcome, and is deaf to nothing", async () => {
  await using it = rig();
  const abort = new AbortController();
  const given = it.client.opened({ signal: abort.signal });
  abort.abort(new Error("enough"));
  await assertRejects(() => given, Error, "enough");
  const opened = it.client.opened();
  await settle();
  it.network.last.welcome();
  const { data } = welcomeFrame();
  assertEquals<unknown>(await opened, data);
  assertEquals<unknown>(await it.client.opened(), data);
});
