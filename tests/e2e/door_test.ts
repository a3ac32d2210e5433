import { assert, assertEquals, assertGreater, assertStringIncludes } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";

Deno.test("the paths beside /ws answer as documented", async (t) => {
  await using backend = new RpcBackend();
  backend.set("GetStorage", "hang");
  await using hub = await HubProcess.start({
    backends: {
      core: quickBackend(backend.url),
      silent: quickBackend(backend.url, { timeout: "1m" }),
    },
    sources: [
      quickSource("system_status", "core"),
      quickSource("storage_update", "silent", { method: "GetStorage" }),
    ],
  });
  await using client = await WsClient.connect(hub.ws());
  await client.waitFor(({ type }) => type === "system_status");

  await t.step("/snapshot/CHANNEL is the latest value", async () => {
    const { status, body } = await get(hub, "/snapshot/system_status");
    assertEquals(status, 200);
    assertEquals(body.is_stale, false);
    assertEquals(body.data.method, "GetSystemStatus");
    assertGreater(body.cached_at, 1_700_000_000);
  });
  await t.step("/snapshot is all there are", async () => {
    const { status, body } = await get(hub, "/snapshot");
    assertEquals([status, Object.keys(body)], [200, ["system_status"]]);
  });
  await t.step("/snapshot of an unknown channel is 404", async () => {
    assertEquals((await get(hub, "/snapshot/nonsense")).status, 404);
  });
  await t.step("/snapshot of a channel without a value yet is 503", async () => {
    const { status, headers } = await get(hub, "/snapshot/storage_update");
    assertEquals(status, 503);
    assert(headers.has("retry-after"));
  });
  await t.step("/readyz names the source that was not tried", async () => {
    const { status, body } = await get(hub, "/readyz");
    assertEquals([status, body.ready], [503, false]);
    assertStringIncludes(body.why.join(), "storage_update");
  });
  await t.step("/healthz is 200 all the same", async () => {
    assertEquals((await get(hub, "/healthz")).status, 200);
  });
  await t.step("/status tells of every backend and source", async () => {
    const { status, body } = await get(hub, "/status");
    assertEquals(status, 200);
    assertEquals(body.total_clients, 1);
    assertEquals(Object.keys(body.backends), ["core", "silent"]);
    assertEquals(body.backends.core.state, "closed");
    assertEquals(body.sources.system_status.is_stale, false);
    assertEquals(body.sources.storage_update.last_success, null);
  });
  await t.step("an unknown path is 404", async () => {
    assertEquals((await get(hub, "/nothing/here")).status, 404);
  });
  await t.step("another method than GET is 405", async () => {
    const { status, headers } = await get(hub, "/snapshot", { method: "DELETE" });
    assertEquals([status, headers.get("allow")], [405, "GET"]);
  });
  await t.step("/ws without an upgrade is 426", async () => {
    const { status, headers } = await get(hub, "/ws");
    assertEquals([status, headers.get("upgrade")], [426, "websocket"]);
  });
  await t.step("/ws of another WebSocket version is 426 and names ours", async () => {
    using door = await RawClient.connect(hub.ws(), { "sec-websocket-version": "8" });
    assertEquals(door.handshake.status, 426);
    assertEquals(door.handshake.headers.get("sec-websocket-version"), "13");
  });
  await t.step("a page of another origin is 403", async () => {
    using door = await RawClient.connect(hub.ws(), { origin: "https://elsewhere.example" });
    assertEquals(door.handshake.status, 403);
  });
  await t.step("a page of the hub's own origin is let in", async () => {
    using door = await RawClient.connect(hub.ws(), { origin: hub.url });
    assertEquals(door.handshake.status, 101);
  });
});

Deno.test("a full house is 503 with Retry-After until a place is free", async () => {
  await using hub = await HubProcess.start({ hub: { max_clients: 1 } });
  const first = await WsClient.connect(hub.ws());
  {
    using door = await RawClient.connect(hub.ws());
    assertEquals(door.handshake.status, 503);
    assertGreater(Number(door.handshake.headers.get("retry-after")), 0);
  }
  await first.close();
  await hub.waitForLog("client.disconnected");
  await using second = await WsClient.connect(hub.ws());
  assertEquals(second.end, undefined);
});

Deno.test("too many clients of one address are 429 with Retry-After", async () => {
  await using hub = await HubProcess.start({ hub: { max_clients_per_ip: 1 } });
  await using _first = await WsClient.connect(hub.ws());
  using door = await RawClient.connect(hub.ws());
  assertEquals(door.handshake.status, 429);
  assertGreater(Number(door.handshake.headers.get("retry-after")), 0);
});

// deno-lint-ignore no-explicit-any -- tests look into whatever came
async function get(hub: HubProcess, path: string, init: RequestInit = {}): Promise<Answer<any>> {
  const response = await fetch(`${hub.url}${path}`, init);
  const { status, headers } = response;
  return { status, headers, body: await response.json() };
}

interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}
