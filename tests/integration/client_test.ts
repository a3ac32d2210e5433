import { HoldfastClient } from "../../src/client/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { CuttableProxy } from "../support/cuttable_proxy.ts";
import { eventually } from "../support/eventually.ts";
import { startApp } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";

const TOKEN = "a-token-for-tests";

/** A hub that polls `backend` every 50 ms. */
function config(backend: RpcBackend): object {
  return {
    backends: {
      core: {
        transport: "json-rpc",
        url: backend.url,
        retry: { attempts: 1 },
        breaker: { failures: 2, open_for: "200ms", max_open_for: "1s" },
        health_check: { every: "100ms" },
      },
    },
    sources: [
      { channel: "system_status", backend: "core", method: "GetSystemStatus", every: "50ms" },
    ],
    hub: { heartbeat_every: "100ms" },
    auth: { tokens: [{ name: "all", token: TOKEN, publish: true }] },
    shutdown: { drain: "500ms", reconnect_within: "200ms" },
  };
}

async function publish(url: string, n: number): Promise<void> {
  const response = await fetch(`${url}/publish`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ channel: "notification", data: { title: String(n) } }),
  });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

Deno.test("HoldfastClient gets every event of a real hub once, over cut connections", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(config(backend));
  await using proxy = new CuttableProxy(app.url);
  await using client = new HoldfastClient(proxy.url, {
    token: TOKEN,
    channels: ["notification"],
    backoff: { minMs: 10, maxMs: 100 },
  });
  const titles: string[] = [];
  const gaps: unknown[] = [];
  client.on("notification", ({ title }) => void titles.push(title));
  client.on("gap", (gap) => void gaps.push(gap));
  const { session } = await client.opened();
  for (let n = 0; n < 30; n++) {
    await publish(app.url, n);
    if (n % 10 === 5) proxy.cut();
  }
  await eventually("30 notifications", () => titles.length >= 30);
  assertEquals(titles, Array.from({ length: 30 }, (_, n) => String(n)));
  assertEquals(gaps, []);
  const { state } = client;
  assert(state.kind === "open" && state.welcome.session !== session, "it came back");
});

Deno.test("HoldfastClient tells live from stale as a real hub does, and when the hub is gone", async () => {
  await using backend = new RpcBackend();
  const app = await startApp(config(backend));
  await using client = new HoldfastClient(app.url, {
    token: TOKEN,
    channels: ["system_status"],
    backoff: { minMs: 10, maxMs: 100 },
  });
  const kind = () => client.read("system_status").kind;
  await eventually("it is live", () => kind() === "live");
  backend.setAll("http_500");
  await eventually("it is stale", () => kind() === "stale");
  backend.setAll("ok");
  await eventually("it is live", () => kind() === "live");
  await app.shutdown();
  await eventually("it is stale", () => kind() === "stale");
  const state = client.read("system_status");
  assert(state.kind === "stale" && state.data !== undefined, "the last value is still there");
});

Deno.test("HoldfastClient stops at a real hub's door without a good token, and goes on with one", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(config(backend));
  await using client = new HoldfastClient(app.url, { token: "wrong" });
  await eventually("it stopped", () => client.state.kind === "stopped");
  client.reconnect({ token: TOKEN });
  const { channels } = await client.opened();
  assert(channels.includes("heartbeat"));
});
