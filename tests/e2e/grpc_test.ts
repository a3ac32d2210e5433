import { LAB_PROTO, startServer } from "../rpc/grpc_support.ts";
import { assertEquals, assertMatch, assertNotMatch } from "../support/assert.ts";
import { runHoldfast } from "../support/command_line.ts";
import { HubProcess } from "../support/hub_process.ts";
import { WsClient } from "../support/ws_client.ts";

function config(url: string, method: string, params: object = {}): object {
  return {
    backends: {
      lab: {
        transport: "grpc",
        url,
        proto: LAB_PROTO,
        timeout: "2s",
        retry: { attempts: 1 },
        breaker: { failures: 2, open_for: "5s" },
        health_check: { every: "100ms" },
      },
    },
    sources: [{ channel: "agent_status", backend: "lab", method, params, every: "100ms" }],
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
