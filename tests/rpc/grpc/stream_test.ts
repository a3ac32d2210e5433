import { grpcCommand } from "../../../src/cli/grpc_process.ts";
import { systemClock } from "../../../src/resilience/clock.ts";
import { TransportProcess } from "../../../src/rpc/grpc/process/transport_process.ts";
import type { StreamEnd } from "../../../src/rpc/backend.ts";
import type { GrpcBackend, GrpcOptions } from "../../../src/rpc/grpc/grpc_backend.ts";
import { hasModernHttp2 } from "../../../src/rpc/grpc/runtime.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../support/assert.ts";
import { hasPythonModule } from "../../support/python.ts";
import { backendOf, seenBy, startPeer, startServer, until } from "./support.ts";

/**
 * Both ways that calls go: in this process, and through one of their own, as in a hub. An older Deno
 * leaves errors behind when its streams are given up, which would fail a test in this process.
 */
const WAYS: Record<string, Partial<GrpcOptions>> = {
  ...(hasModernHttp2() ? { "in process": {} } : {}),
  "through a process": {
    openTransport: (endpoint) =>
      new TransportProcess(endpoint, { command: grpcCommand(), clock: systemClock }),
  },
};

function watch(backend: GrpcBackend, params: object, signal = new AbortController().signal) {
  return backend.stream({ method: "holdfast.lab.v1.Lab/Watch", params, stream: true }, { signal });
}

/** Reads a stream to its end. */
async function readAll(
  stream: ReturnType<GrpcBackend["stream"]>,
  onValue: (value: Record<string, unknown>) => void | Promise<void> = () => {},
): Promise<{ kinds: string[]; end: StreamEnd }> {
  const kinds: string[] = [];
  for (;;) {
    const { value: event, done } = await stream.next();
    if (done) return { kinds, end: event };
    kinds.push(event.kind);
    if (event.kind === "opened") continue;
    assert(Math.abs(Date.now() - event.cameAtMs) < 60_000);
    const outcome = await event.read();
    assert(outcome.kind === "ok", JSON.stringify(outcome));
    await onValue(JSON.parse(outcome.value));
  }
}

for (const [way, options] of Object.entries(WAYS)) {
  Deno.test(`GrpcBackend.stream() gives each message, then why it ended, ${way}`, async () => {
    await using server = await startServer();
    await using backend = backendOf(server.url, options);
    const values: unknown[] = [];
    const { kinds, end } = await readAll(
      watch(backend, { code: 1, message: "end" }),
      (value) => void values.push(value),
    );
    assertEquals(kinds, ["opened", "message"]);
    assertEquals(values, [{ diskName: "sda", totalBytes: "1" }]);
    assertEquals(end, { kind: "unavailable", reason: "the stream ended" });
    const failed = await readAll(watch(backend, { message: "fail" }));
    assertEquals(failed.end, { kind: "unavailable", reason: "gRPC DATA_LOSS: gone" });
    // The connection is as good as before.
    assertEquals((await seenBy(backend))["hangs"], 2);
  });

  Deno.test(`GrpcBackend.stream() leaves out what is not taken in time, ${way}`, async () => {
    await using server = await startServer();
    await using backend = backendOf(server.url, options);
    const seen: number[] = [];
    const MESSAGES = 20_000;
    await readAll(watch(backend, { code: MESSAGES, message: "end" }), async ({ totalBytes }) => {
      seen.push(Number(totalBytes));
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    assertEquals(seen.at(-1), MESSAGES);
    assert(seen.length < MESSAGES / 10, `${seen.length} of ${MESSAGES} were read`);
    assertEquals(seen, [...seen].sort((a, b) => a - b));
  });

  Deno.test(`GrpcBackend.stream() is cancelled at the server when given up, ${way}`, async () => {
    await using server = await startServer();
    await using backend = backendOf(server.url, options);
    const controller = new AbortController();
    const stream = watch(backend, { message: "tick" }, controller.signal);
    await stream.next();
    await stream.next();
    controller.abort(new Error("enough"));
    await assertRejects(() => stream.next().then(() => stream.next()), Error, "enough");
    if (hasModernHttp2()) await until(async () => (await seenBy(backend))["cancelled"] === 1);
    // Left by its reader, not by a signal.
    const left = watch(backend, { message: "tick" });
    await left.next();
    await left.next();
    await left.return({ kind: "unavailable", reason: "left" });
    if (hasModernHttp2()) await until(async () => (await seenBy(backend))["cancelled"] === 2);
  });

  Deno.test({
    name: `GrpcBackend.stream() ends when its server is killed, ${way}`,
    ignore: !hasModernHttp2(), // an older Deno finds out by a minute of silence
    async fn() {
      await using server = await startServer();
      await using backend = backendOf(server.url, options);
      const stream = watch(backend, { code: 1, message: "stay" });
      await stream.next();
      await stream.next();
      server.kill("SIGKILL");
      const { end } = await readAll(stream);
      assertEquals(end.kind, "unavailable");
      await server.ended;
      assertMatch(JSON.stringify(await readAll(watch(backend, {}))), /unavailable.*refused/);
    },
  });

  Deno.test(`GrpcBackend.stream() bounds one message, ${way}`, async () => {
    await using server = await startServer();
    await using backend = backendOf(server.url, { ...options, maxResponseBytes: 4 });
    const { end } = await readAll(watch(backend, { code: 1, message: "stay" }));
    assertEquals(end, { kind: "unavailable", reason: "the answer is larger than 4 bytes" });
  });
}

Deno.test("GrpcBackend.stream() rejects a method that gives no stream, and the other way round", async () => {
  await using backend = backendOf("http://127.0.0.1:1");
  const { signal } = new AbortController();
  const open = (name: string) =>
    readAll(backend.stream({ method: `holdfast.lab.v1.Lab/${name}` }, { signal }));
  assertMatch(JSON.stringify(await open("Describe")), /rejected.*unary method: it gives no stream/);
  assertMatch(JSON.stringify(await open("Upload")), /rejected.*stream of requests/);
  assertMatch(
    JSON.stringify(await open("Wach")),
    /rejected.*did you mean .*Watch.*there is Watch"/,
  );
  const polled = await backend.call({ method: "holdfast.lab.v1.Lab/Watch" }, { signal });
  assertMatch(JSON.stringify(polled), /rejected.*stream\\?": true/);
});

Deno.test("a gRPC process that dies ends its streams", async () => {
  await using server = await startServer();
  let process: TransportProcess | undefined;
  await using backend = backendOf(server.url, {
    openTransport: (endpoint) =>
      process = new TransportProcess(endpoint, { command: grpcCommand(), clock: systemClock }),
  });
  const stream = watch(backend, { code: 1, message: "stay" });
  await stream.next();
  await stream.next();
  assert(process?.pid !== undefined);
  Deno.kill(process.pid, "SIGKILL");
  const { end } = await readAll(stream);
  assertEquals(end, { kind: "unavailable", reason: "the gRPC process was ended by SIGKILL" });
});

const hasGrpcio = hasPythonModule("grpc");

Deno.test({
  name: "GrpcBackend.stream() is understood by grpcio" +
    (hasGrpcio ? "" : " (ignored: apt-get install python3-grpcio python3-protobuf)"),
  ignore: !hasGrpcio,
  async fn() {
    const script = new URL("peers/peer.py", import.meta.url).pathname;
    await using peer = await startPeer("/usr/bin/python3", [script]);
    await using backend = backendOf(peer.url);
    const values: unknown[] = [];
    const { end } = await readAll(
      watch(backend, {}),
      ({ totalBytes }) => void values.push(totalBytes),
    );
    assertEquals(values, ["1", "2", "3"]);
    assertEquals(end, { kind: "unavailable", reason: "gRPC RESOURCE_EXHAUSTED: no more" });
  },
});
