import { assertEquals, assertGreaterOrEqual, assertLess } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { type Heard, WsClient } from "../support/ws_client.ts";

const CHANNELS = ["system_status", "storage_update", "agent_status", "compression_update"];

Deno.test("of four backends one hangs: the other three live, and heartbeats keep time", async () => {
  await using stack = new AsyncDisposableStack();
  const backends = CHANNELS.map(() => stack.use(new RpcBackend()));
  await using hub = await HubProcess.start({
    backends: Object.fromEntries(
      backends.map(({ url }, at) => [`b${at}`, quickBackend(url, { timeout: "2s" })]),
    ),
    sources: CHANNELS.map((channel, at) => quickSource(channel, `b${at}`)),
    hub: { heartbeat_every: "200ms" },
  });
  await using client = await WsClient.connect(hub.ws());
  for (const channel of CHANNELS) await client.waitFor(isFreshOn(channel));

  backends[0]?.setAll("hang");
  const from = client.frames.length;
  const begun = performance.now();
  await client.waitForCount(2, ({ data }) => data.code === "RPC_FAILURE", { from });
  const tookMs = performance.now() - begun;

  const heard = client.frames.slice(from);
  const beats = heard.filter(({ type }) => type === "heartbeat");
  // Twenty in four seconds; half of that leaves room for a machine that stands still for a while.
  assertGreaterOrEqual(beats.length, 0.5 * tookMs / 200);
  for (const [at, beat] of beats.entries()) {
    const before = beats[at - 1];
    if (before) assertLess(beat.at - before.at, 1900, "as long as the hanging call takes");
    assertEquals(beat.data.clients_connected, 1);
  }
  for (const channel of CHANNELS.slice(1)) {
    const fresh = heard.filter(isFreshOn(channel));
    assertGreaterOrEqual(fresh.length, 0.4 * tookMs / 100, channel);
    const given = fresh.map(({ data }) => data.data.n);
    assertEquals(given, [...new Set(given)].toSorted((a, b) => a - b), "every value is a new one");
    assertEquals(heard.filter(isStaleOn(channel)), []);
  }
  assertEquals(heard.filter(isFreshOn("system_status")).length <= 1, true, "a call under way");
  for (const { data } of heard.filter(({ data }) => data.code !== undefined)) {
    assertEquals([data.code, data.data.channel], ["RPC_FAILURE", "system_status"]);
  }
});

function isFreshOn(channel: string): (frame: Heard) => boolean {
  return ({ type, data }) => type === channel && !data.is_stale;
}

function isStaleOn(channel: string): (frame: Heard) => boolean {
  return ({ type, data }) => type === channel && data.is_stale;
}
