// @ts-types="../support/npm_ws.d.ts"
import NpmWebSocket from "ws";
import { assertEquals, assertGreater, assertGreaterOrEqual } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { hasPythonModule, runPython } from "../support/python.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { within } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";

Deno.test("npm:ws connects, subscribes, pings and closes cleanly", async () => {
  await using backend = new RpcBackend();
  await using hub = await HubProcess.start(configFor(backend));
  await using other = await WsClient.connect(hub.ws());
  const socket = new NpmWebSocket(hub.ws({ channels: "system_status" }), ["holdfast"]);
  // deno-lint-ignore no-explicit-any -- it looks into whatever came
  const frames: any[] = [];
  const closed = Promise.withResolvers<[number, string]>();
  const ponged = Promise.withResolvers<void>();
  socket.on("pong", () => ponged.resolve());
  socket.on("error", closed.reject);
  socket.on("close", (code, reason) => closed.resolve([code, new TextDecoder().decode(reason)]));
  socket.on("message", (data, isBinary) => {
    assertEquals(isBinary, false);
    const frame = JSON.parse(new TextDecoder().decode(data));
    frames.push(frame);
    if (frame.type === "welcome") {
      socket.send(JSON.stringify({ type: "subscribe", channels: ["heartbeat"] }));
      socket.send(JSON.stringify({ type: "ping", id: 7 }));
      socket.ping();
    }
    if (frames.filter(({ type }) => type === "heartbeat").length === 2) socket.close(1000);
  });
  const [code] = await within(closed.promise, { explain: () => JSON.stringify(frames) });
  await within(ponged.promise, { explain: () => "no WebSocket pong" });

  assertEquals(code, 1000);
  assertEquals(socket.protocol, "holdfast");
  assertStoryOf(frames, 7);
  await hub.waitForLog("client.disconnected");
  await other.waitForBeats(2);
  assertEquals(other.codes, []);
});

const hasWebsockets = hasPythonModule("websockets");
const note = hasWebsockets ? "" : " (left out: Debian's package python3-websockets is missing)";

Deno.test({
  name: `python3-websockets connects, subscribes, pings and closes cleanly${note}`,
  ignore: !hasWebsockets,
  fn: async () => {
    await using backend = new RpcBackend();
    await using hub = await HubProcess.start(configFor(backend));
    await using other = await WsClient.connect(hub.ws());
    const printed = await runPython("python_websockets.py", [
      hub.ws({ channels: "system_status" }),
    ]);
    const [first, ...rest] = printed.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(first, { subprotocol: "holdfast" });
    assertEquals(rest.pop(), { close_code: 1000 });
    assertStoryOf(rest, "from python");
    await hub.waitForLog("client.disconnected");
    await other.waitForBeats(2);
    assertEquals(other.codes, []);
  },
});

/** What either client must have heard. */
// deno-lint-ignore no-explicit-any -- it looks into whatever came
function assertStoryOf(frames: readonly any[], pingId: string | number): void {
  const [welcome] = frames;
  assertEquals(welcome.type, "welcome");
  assertEquals(welcome.data.channels, ["system_status"]);
  assertEquals(welcome.data.heartbeat_ms, 200);
  const subscribed = frames.find(({ type }) => type === "subscribed");
  assertEquals(subscribed.data.channels, ["system_status", "heartbeat"]);
  assertEquals(frames.find(({ type }) => type === "pong").data, { id: pingId });
  assertGreaterOrEqual(frames.filter(({ type }) => type === "system_status").length, 1);
  for (const { type, seq, timestamp } of frames) {
    assertGreater(timestamp, 1_700_000_000);
    if (type === "heartbeat") assertEquals(typeof seq, "number");
    if (["welcome", "pong", "subscribed"].includes(type)) assertEquals(seq, undefined);
  }
}

function configFor(backend: RpcBackend): object {
  return {
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [quickSource("system_status", "core")],
    hub: { heartbeat_every: "200ms" },
  };
}
