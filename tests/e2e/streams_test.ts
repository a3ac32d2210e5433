import { LAB_PROTO, startServer } from "../rpc/grpc/support.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { runHoldfast } from "../support/command_line.ts";
import { HubProcess } from "../support/hub_process.ts";
import { WsClient } from "../support/ws_client.ts";

const PACE = { timeout: "2s", breaker: { failures: 2, open_for: "5s" } };

/** A server of events: one at once, one every 50 ms, until it is stopped. */
function startTicker(port = 0, padding = 0) {
  const pad = "x".repeat(padding);
  const lastIds: (string | null)[] = [];
  const controller = new AbortController();
  let n = 0;
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port,
    signal: controller.signal,
    onListen: () => {},
  }, (request) => {
    lastIds.push(request.headers.get("last-event-id"));
    let timer: ReturnType<typeof setInterval> | undefined;
    const body = new ReadableStream<string>({
      start(out) {
        const next = () =>
          out.enqueue(`id: ${++n}\ndata: {"n": ${n}, "at": ${Date.now()}, "pad": "${pad}"}\n\n`);
        next();
        timer = setInterval(next, 50);
      },
      cancel: () => clearInterval(timer),
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), {
      headers: { "content-type": "text/event-stream" },
    });
  });
  return {
    port: server.addr.port,
    lastIds,
    async stop() {
      controller.abort();
      await server.finished.catch(() => {});
    },
  };
}

Deno.test("a stream of server-sent events is a source: fresh, stale when its server goes, found again", async () => {
  let ticker = startTicker();
  const { port } = ticker;
  try {
    await using hub = await HubProcess.start({
      backends: {
        ticker: {
          transport: "sse",
          url: `http://127.0.0.1:${port}`,
          ...PACE,
          health_check: { every: "100ms" },
        },
      },
      sources: [
        { channel: "ticks", backend: "ticker", method: "/", stream: true, every: "100ms" },
      ],
    });
    await using client = await WsClient.connect(hub.ws());
    const ticks = (isStale: boolean, from: number) =>
      client.waitFor(({ type, data }) => type === "ticks" && data.is_stale === isStale, { from });
    await ticks(false, 0);
    const down = client.frames.length;
    await ticker.stop();
    await client.waitForCode("RPC_FAILURE", { from: down });
    await ticks(true, down);
    await client.waitForCode("CIRCUIT_OPEN", { from: down });
    const up = client.frames.length;
    ticker = startTicker(port);
    await client.waitForCode("RPC_RECOVERED", { from: up });
    await ticks(false, up);
    assert(ticker.lastIds.some((id) => Number(id) > 0), `${ticker.lastIds}`);
    assertEquals(await hub.stop(), 0);
  } finally {
    await ticker.stop();
  }
});

Deno.test("a server stream of gRPC is a source, beside polls of the same backend", async () => {
  let peer = await startServer();
  const { port } = peer;
  const lab = "holdfast.lab.v1.Lab";
  try {
    await using hub = await HubProcess.start({
      backends: {
        lab: {
          transport: "grpc",
          url: peer.url,
          proto: LAB_PROTO,
          retry: { attempts: 1 },
          ...PACE,
          health_check: { method: "grpc.health.v1.Health/Check", every: "100ms" },
        },
      },
      sources: [
        {
          channel: "watched",
          backend: "lab",
          method: `${lab}/Watch`,
          params: { code: 3, message: "tick" },
          stream: true,
          every: "100ms",
        },
        {
          channel: "polled",
          backend: "lab",
          method: `${lab}/Describe`,
          params: { diskName: "sda" },
          every: "100ms",
        },
      ],
    });
    await using client = await WsClient.connect(hub.ws());
    const fresh = (channel: string, from: number) =>
      client.waitFor(({ type, data }) => type === channel && !data.is_stale, { from });
    const first = await fresh("watched", 0);
    assertEquals(typeof (first.data.data as { totalBytes: unknown }).totalBytes, "string");
    await fresh("polled", 0);
    const down = client.frames.length;
    await peer[Symbol.asyncDispose]();
    await client.waitFor(({ type, data }) => type === "watched" && data.is_stale === true, {
      from: down,
    });
    await client.waitForCode("CIRCUIT_OPEN", { from: down });
    const up = client.frames.length;
    peer = await startServer(port);
    await client.waitForCode("RPC_RECOVERED", { from: up });
    await fresh("watched", up);
    await fresh("polled", up);
    assertEquals(await hub.stop(), 0);
  } finally {
    await peer[Symbol.asyncDispose]();
  }
});

/** How long the hub is halted, in milliseconds: too short for its streams to be opened anew. */
const HALT_MS = 4500;

/** Most that an age may be short of the truth, in milliseconds; half is for a busy machine. */
const SLACK_MS = 1000 + 1000;

Deno.test("C43: what streams gave while the hub was halted is not passed off as live", async () => {
  // So long that what came during the halt is read in many pieces, the oldest first.
  const ticker = startTicker(0, 20_000);
  await using peer = await startServer();
  try {
    await using hub = await HubProcess.start({
      backends: {
        ticker: { transport: "sse", url: `http://127.0.0.1:${ticker.port}`, ...PACE },
        lab: { transport: "grpc", url: peer.url, proto: LAB_PROTO, ...PACE },
      },
      sources: [
        { channel: "ticks", backend: "ticker", method: "/", stream: true, every: "100ms" },
        {
          channel: "watched",
          backend: "lab",
          method: "holdfast.lab.v1.Lab/Watch",
          params: { message: "tick" },
          stream: true,
          every: "100ms",
        },
      ],
    });
    await using client = await WsClient.connect(hub.ws());
    const fresh = async (channel: string) => {
      const from = client.frames.length;
      await client.waitFor(({ type, data }) => type === channel && !data.is_stale, { from });
    };
    for (const channel of ["ticks", "watched"]) await fresh(channel);
    hub.signal("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, HALT_MS));
    hub.signal("SIGCONT");
    for (const channel of ["ticks", "watched", "ticks", "watched"]) await fresh(channel);
    // A frame is true when it is made: the halt may keep one on its way.
    const judged = client.frames.flatMap(({ type, timestamp, data }) => {
      const value = data.data as { at?: number; takenAt?: string } | undefined;
      const at = value?.at ?? Date.parse(value?.takenAt ?? "");
      if (Number.isNaN(at) || data.is_stale !== false) return [];
      return [{ type, shortOfTruthMs: timestamp * 1000 - at - data.age_ms }];
    });
    assert(judged.length > 4);
    assertEquals(judged.filter(({ shortOfTruthMs }) => shortOfTruthMs > SLACK_MS), []);
    assertEquals(await hub.stop(), 0);
  } finally {
    await ticker.stop();
  }
});

Deno.test("streams are checked against the .proto file, and against the transport", async () => {
  const config = (method: string, stream: boolean) => ({
    backends: { lab: { transport: "grpc", url: "http://127.0.0.1:1", proto: LAB_PROTO } },
    sources: [{ channel: "a", backend: "lab", method: `holdfast.lab.v1.Lab/${method}`, stream }],
  });
  const wrongs = [
    [config("Describe", true), /sources\[0\]\.method.*gives no stream/],
    [config("Watch", false), /sources\[0\]\.method.*"stream": true/],
    [{
      backends: { events: { transport: "sse", url: "http://127.0.0.1:1" } },
      sources: [{ channel: "a", backend: "events", method: "/" }],
    }, /sources\[0\]\.stream.*expected true/],
  ] as const;
  for (const [value, expected] of wrongs) {
    const file = await Deno.makeTempFile({ prefix: "holdfast-test-", suffix: ".json" });
    try {
      await Deno.writeTextFile(file, JSON.stringify(value));
      const { code, stderr } = await runHoldfast(["config", "check", file]);
      assertEquals(code, 2);
      assertMatch(stderr, expected);
    } finally {
      await Deno.remove(file);
    }
  }
});
