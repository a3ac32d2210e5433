import type { App } from "../../src/server/app.ts";
import { json } from "../../src/protocol/codec.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { startApp } from "../support/hub_in_process.ts";
import { SseClient } from "../support/sse_client.ts";
import { WsClient } from "../support/ws_client.ts";
import { hasProgram } from "./programs.ts";
import { PROXIES, Proxy, type ProxyName } from "./proxy.ts";

/** Several pings fit in, and a machine that is busy for a while too. */
const IDLE_SECONDS = 4;

const TOKEN = "only-for-this-test-7d1c";

/** A hub behind a proxy, where nothing is said but what the test says. */
function hubBehindProxy(changes: { hub?: object; [key: string]: unknown } = {}): Promise<App> {
  const { hub, ...rest } = changes;
  return startApp({
    trust_proxy: true,
    ...rest,
    hub: { heartbeat_every: "10m", ping_every: "1s", ...hub },
  });
}

async function idleClients(proxy: Proxy) {
  const channels = "channels=notification";
  const socket = await WsClient.connect(`${proxy.wsUrl}?${channels}`);
  const stream = await SseClient.connect(`${proxy.url}/events?${channels}`);
  await stream.waitForType("welcome");
  return { socket, stream };
}

for (const name of Object.keys(PROXIES) as ProxyName[]) {
  const { program, debianPackage } = PROXIES[name];
  const ignore = !hasProgram(program, debianPackage) || !hasProgram("curl", "curl");

  Deno.test({
    name: `${name}'s snippet keeps quiet clients past its idle timeout, by the hub's pings alone`,
    ignore,
    fn: async () => {
      await using hub = await hubBehindProxy();
      await using mute = await hubBehindProxy({ hub: { ping_every: "0s" } });
      const idleSeconds = IDLE_SECONDS;
      await using proxy = await Proxy.start(name, { hub: hub.url, idleSeconds });
      await using toMute = await Proxy.start(name, { hub: mute.url, idleSeconds });
      const { socket, stream } = await idleClients(proxy);
      await using _socket = socket;
      await using _stream = stream;
      const cut = await idleClients(toMute);
      await using _cutSocket = cut.socket;
      await using _cutStream = cut.stream;
      // The timeout is there, and has passed.
      await cut.socket.waitForEnd();
      await cut.stream.waitForEnd();
      assertEquals(socket.end, undefined);
      assertEquals(stream.hasEnded, false);
      hub.hub.broadcast("notification", json({ title: "still there" }));
      await socket.waitFor(({ type }) => type === "notification");
      await stream.waitForType("notification");
    },
  });

  Deno.test({
    name: `${name}'s snippet tells the hub who a client is, whatever the client says`,
    ignore,
    fn: async () => {
      await using hub = await hubBehindProxy({ hub: { max_clients_per_ip: 1 } });
      await using proxy = await Proxy.start(name, { hub: hub.url });
      await using first = await SseClient.connect(`${proxy.url}/events`);
      await first.waitForType("welcome");
      assertEquals(await proxy.curl("/events", ["--head"]), 429);
      const forged = ["--head", "--header", "X-Forwarded-For: 192.0.2.9"];
      assertEquals(await proxy.curl("/events", forged), 429);
      assertEquals(await proxy.curl("/events", ["--head", "--interface", "127.0.0.2"]), 200);
    },
  });

  Deno.test({
    name: `${name}'s snippet passes the hub's own pages and no bodies that are too large`,
    ignore,
    fn: async () => {
      const tokens = [{ name: "publisher", token: TOKEN, publish: true }];
      await using hub = await hubBehindProxy({
        auth: { tokens },
        // So that it is the proxy that refuses; Caddy leaves it to the hub.
        hub: name === "Caddy" ? {} : { max_message_bytes: 1024 * 1024 },
      });
      await using proxy = await Proxy.start(name, { hub: hub.url });
      const bearer = ["--header", `Authorization: Bearer ${TOKEN}`];
      const from = (origin: string) => [...bearer, "--header", `Origin: ${origin}`];
      assertEquals(await proxy.curl("/snapshot", from(proxy.origin)), 200);
      assertEquals(await proxy.curl("/snapshot", from("https://elsewhere.example")), 403);
      assertEquals(await proxy.curl("/snapshot"), 401);
      const publish = (title: string) => {
        const body = json({ channel: "notification", data: { title } });
        // Who is refused amid a body may lose the answer: so the body waits for it.
        const waiting = ["--header", "Expect: 100-continue", "--expect100-timeout", "5"];
        return proxy.curl("/publish", [...bearer, ...waiting, "--data-binary", "@-"], body);
      };
      assertEquals(await publish("x"), 202);
      assertEquals(await publish("x".repeat(65_536)), 413);
      assertEquals(await proxy.curl(`/snapshot?token=${TOKEN}`), 200);
      if (name !== "nginx") return; // the others write none unless told to
      const log = await proxy.accessLog();
      assertStringIncludes(log, "GET /snapshot 200");
      assert(!log.includes(TOKEN), log);
    },
  });

  Deno.test({
    name: `${name}'s snippet tells of a hub that goes, answers 502 or 503 meanwhile, and recovers`,
    ignore,
    fn: async () => {
      const hub = await hubBehindProxy();
      const listen = new URL(hub.url).host;
      await using _hub = hub;
      await using proxy = await Proxy.start(name, { hub: hub.url });
      await using socket = await WsClient.connect(proxy.wsUrl);
      await using stream = await SseClient.connect(`${proxy.url}/events`);
      await stream.waitForType("welcome");
      await hub.shutdown();
      assertEquals((await socket.waitForEnd()).code, 1001);
      assert(socket.codes.includes("SERVER_SHUTDOWN"));
      await stream.waitForEnd();
      assert(stream.frames.some(({ data }) => data.code === "SERVER_SHUTDOWN"));
      const status = await proxy.curl("/healthz");
      assert([502, 503].includes(status), String(status));
      await using _next = await hubBehindProxy({ listen });
      assertEquals(await proxy.curl("/healthz"), 200);
      await using _back = await WsClient.connect(proxy.wsUrl);
    },
  });
}
