import { LAB_PROTO, type Peer, startServer } from "../rpc/grpc/support.ts";
import { assert, assertEquals, assertMatch, assertNotMatch } from "../support/assert.ts";
import { isExecutable, runHoldfast } from "../support/command_line.ts";
import { hostilePeer } from "../support/http2/hostile_peer.ts";
import { HubProcess } from "../support/hub_process.ts";
import { Scrape } from "../support/scrape.ts";
import { Chance } from "../support/seed.ts";
import { WsClient } from "../support/ws_client.ts";

const METHOD = "holdfast.lab.v1.Lab/Describe";

function config(url: string, method: string, params: object = {}): object {
  return {
    backends: { lab: backend(url) },
    sources: [{ channel: "agent_status", backend: "lab", method, params, every: "100ms" }],
  };
}

function backend(url: string, timeout = "2s"): object {
  return {
    transport: "grpc",
    url,
    proto: LAB_PROTO,
    timeout,
    retry: { attempts: 1 },
    breaker: { failures: 2, open_for: "5s" },
    health_check: { method: "grpc.health.v1.Health/Check", every: "100ms" },
  };
}

Deno.test("a gRPC backend is polled, marked stale when it is killed, and found again", async () => {
  let peer = await startServer();
  const { port } = peer;
  try {
    await using hub = await HubProcess.start(
      config(peer.url, "holdfast.lab.v1.Lab/Describe", { diskName: "sda" }),
    );
    await using client = await WsClient.connect(hub.ws());
    const isFresh = (isWanted: boolean) =>
      client.waitFor(({ type, data }) => type === "agent_status" && data.is_stale !== isWanted);
    await isFresh(true);
    peer.kill("SIGKILL");
    await peer.ended;
    await client.waitForCode("CIRCUIT_OPEN");
    await isFresh(false);
    await peer[Symbol.asyncDispose]();
    peer = await startServer(port);
    await client.waitForCode("RPC_RECOVERED");
    const from = client.frames.length;
    await client.waitFor(
      ({ type, data }) => type === "agent_status" && !data.is_stale,
      { from },
    );
    assertEquals(await hub.stop(), 0);
  } finally {
    await peer[Symbol.asyncDispose]();
  }
});

/** Half of the sources are answered, the other half wait for the end of an answer that has begun. */
const SOURCES = Array.from({ length: 20 }, (_, at) => ({
  channel: `c${at}`,
  backend: "lab",
  every: "20ms",
  ...(at % 2 === 0
    ? { method: "holdfast.lab.v1.Lab/Describe", params: { diskName: "sda" } }
    : { method: "holdfast.lab.v1.Lab/Hang", params: { message: "half an answer" } }),
}));

const KILLS = 10;
/** No further kill after this time, in milliseconds: a slow machine has seen enough by then. */
const KILL_FOR_MS = 15_000;

async function openDescriptors(hub: HubProcess): Promise<number> {
  return (await Scrape.of(hub)).get("process_open_fds") ?? NaN;
}

Deno.test("a gRPC backend killed amid its answers, again and again, costs nobody a connection", async () => {
  let peer = await startServer();
  const { port } = peer;
  try {
    await using hub = await HubProcess.start({
      // Longer than a life of the backend. Older Denos do not tell of each call that its connection
      // broke: then this is what ends it.
      // Half of them hang: with fewer calls at a time there would soon be none left for the others.
      backends: { lab: { ...backend(peer.url, "5s"), max_in_flight: SOURCES.length } },
      sources: SOURCES,
      hub: { heartbeat_every: "250ms" },
    });
    await using client = await WsClient.connect(hub.ws());
    await client.waitFor(({ type, data }) => type === "c0" && !data.is_stale);
    const descriptors = await openDescriptors(hub);
    const startedAt = performance.now();
    for (let kill = 0; kill < KILLS; kill++) {
      const up = client.frames.length;
      // The second answer comes after the beginnings of all those that have none yet.
      await client.waitForCount(2, ({ type, data }) => type === "c0" && !data.is_stale, {
        from: up,
      });
      await new Promise((resolve) => setTimeout(resolve, 5 * kill)); // another moment of a poll each time
      const down = client.frames.length;
      peer.kill("SIGKILL");
      await peer.ended;
      await client.waitForCode("CIRCUIT_OPEN", { from: down });
      await peer[Symbol.asyncDispose]();
      peer = await startServer(port);
      await client.waitForCode("RPC_RECOVERED", { from: down });
      if (performance.now() - startedAt > KILL_FOR_MS) break;
    }
    const from = client.frames.length;
    await client.waitForBeats(1);
    await client.waitFor(({ type, data }) => type === "c18" && !data.is_stale, { from });
    // Broken connections are let go of, if not at once.
    const isClean = async () => await openDescriptors(hub) <= descriptors + 3;
    for (let beat = 0; beat < 40 && !await isClean(); beat++) await client.waitForBeats(1);
    assert(await isClean(), `${descriptors} descriptors became ${await openDescriptors(hub)}`);
    assertEquals(await hub.stop(), 0);
    // An executable may be of an old Deno, which leaves rejections to nobody; the hub outlives them.
    if (!isExecutable()) assertEquals(hub.complaints, []);
  } finally {
    await peer[Symbol.asyncDispose]();
  }
});

Deno.test("C01: a server that makes its gRPC process hang costs the hub no heartbeat", async () => {
  await using peer = hostilePeer({ chance: new Chance(1), only: ["ping flood"] });
  let good: Peer | undefined;
  try {
    good = await startServer();
    await using hub = await HubProcess.start({
      backends: { lab: backend(peer.url), good: backend(good.url) },
      sources: [
        { channel: "bad", backend: "lab", method: METHOD, every: "100ms" },
        { channel: "good", backend: "good", method: METHOD, every: "100ms" },
      ],
      hub: { heartbeat_every: "250ms" },
    });
    await using client = await WsClient.connect(hub.ws());
    await client.waitForCode("CIRCUIT_OPEN");
    // An executable may be of an old Deno, which only fails the call.
    if (!isExecutable()) {
      const { why } = await hub.waitForLog("grpc.process_ended");
      // A core used up by one that hangs, or a pointer to what is gone.
      assertMatch(String(why), /hung and was killed|was ended by SIG/);
    }
    const from = client.frames.length;
    await client.waitForBeats(4);
    await client.waitFor(({ type, data }) => type === "good" && !data.is_stale, { from });
    assertEquals(await hub.stop(), 0);
  } finally {
    await good?.[Symbol.asyncDispose]();
  }
});

Deno.test("a gRPC method and its params are checked against the .proto file at the start", async () => {
  const wrongs = [
    [
      config("http://127.0.0.1:1", "holdfast.lab.v1.Lab/Descripe"),
      /sources\[0\]\.method.*Describe/,
    ],
    [config("http://127.0.0.1:1", "holdfast.lab.v1.Lab/Watch"), /sources\[0\]\.method.*unary/],
    [
      config("http://127.0.0.1:1", "holdfast.lab.v1.Lab/Describe", { diskNam: "sda" }),
      /sources\[0\]\.params.*diskName/,
    ],
  ] as const;
  for (const [value, expected] of wrongs) {
    const file = await Deno.makeTempFile({ prefix: "holdfast-test-", suffix: ".json" });
    try {
      await Deno.writeTextFile(file, JSON.stringify(value));
      for (const command of [["serve", "--config", file], ["config", "check", file]]) {
        const { code, stderr } = await runHoldfast(command);
        assertEquals(code, 2);
        assertMatch(stderr, expected);
        assertNotMatch(stderr, /^\s+at /m);
      }
    } finally {
      await Deno.remove(file);
    }
  }
});
