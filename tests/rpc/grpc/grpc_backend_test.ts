import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "../../support/assert.ts";
import { valueOutcome } from "../../../src/rpc/backend.ts";
import { hasModernHttp2 } from "../../../src/rpc/grpc/runtime.ts";
import { createGrpcBackend } from "../../../src/rpc/grpc/grpc_backend.ts";
import { ConnectTransport } from "../../../src/rpc/grpc/connect_transport.ts";
import type { GrpcEndpoint } from "../../../src/rpc/grpc/transport.ts";
import { ask, backendOf, LAB_PROTO, seenBy, startPeer, startServer, until } from "./support.ts";

const openTransport = (endpoint: GrpcEndpoint) => new ConnectTransport(endpoint);

Deno.test("createGrpcBackend() gives values by protobuf's JSON mapping", async () => {
  await using server = await startServer();
  await using backend = backendOf(server.url);
  assertEquals(
    await ask(backend, "Describe", { diskName: "sda", kind: "KIND_DISK" }),
    valueOutcome({
      diskName: "sda",
      totalBytes: "9007199254740993",
      most: "18446744073709551615",
      digest: "AP8Q",
      kind: "KIND_DISK",
      takenAt: "2025-11-24T16:00:00.250Z",
      took: "3.500s",
      limit: "7",
      note: "",
      labels: { a: 1, b: [null] },
      anything: "x",
      kinds: ["KIND_TAPE", 9],
      sizes: { big: "9007199254740993" },
      explicitZero: 0,
      ratio: "Infinity",
    }),
  );
});

Deno.test("createGrpcBackend() takes each status code for what it says", async () => {
  await using server = await startServer();
  await using backend = backendOf(server.url);
  const rejected = [3, 5, 6, 7, 9, 11, 12, 16];
  for (let code = 1; code <= 16; code++) {
    const { kind, ...rest } = await ask(backend, "Fail", { code, message: "so\nbe it" });
    assertEquals([code, kind], [code, rejected.includes(code) ? "rejected" : "unavailable"]);
    assertMatch("reason" in rest ? rest.reason : "", /^gRPC [A-Z_]+: so be it$/);
  }
});

Deno.test("createGrpcBackend() sends headers as metadata and shows them nowhere", async () => {
  await using server = await startServer();
  await using backend = backendOf(server.url, { headers: { authorization: "Bearer s3cret" } });
  await ask(backend, "Describe");
  assertEquals((await seenBy(backend))["token"], "Bearer s3cret");
  const outcome = await ask(backend, "Fail", { code: 13, message: "" });
  assertEquals(outcome, { kind: "unavailable", reason: "gRPC INTERNAL" });
});

Deno.test("createGrpcBackend() tells the server the deadline and keeps it", async () => {
  await using server = await startServer();
  await using backend = backendOf(server.url);
  const outcome = await ask(backend, "Hang", {}, { deadlineMs: 100 });
  assertMatch(JSON.stringify(outcome), /unavailable.*DEADLINE_EXCEEDED/);
  assertEquals((await seenBy(backend))["hadDeadline"], true);
  assertEquals(await ask(backend, "Describe", {}, { deadlineMs: 0 }), {
    kind: "unavailable",
    reason: "no time left for the call",
  });
});

Deno.test("createGrpcBackend() cancels the call at the server when aborted", async () => {
  await using server = await startServer();
  await using backend = backendOf(server.url);
  const controller = new AbortController();
  const call = ask(backend, "Hang", {}, { signal: controller.signal });
  await until(async () => (await seenBy(backend))["hangs"] === 1);
  const mine = new Error("enough");
  controller.abort(mine);
  assertEquals(await assertRejects(() => call, Error), mine);
  // An older Deno tells the server nothing: there the deadline must end the call.
  if (hasModernHttp2()) await until(async () => (await seenBy(backend))["cancelled"] === 1);
  await assertRejects(
    () => ask(backend, "Seen", {}, { signal: controller.signal }),
    Error,
    "enough",
  );
});

Deno.test("createGrpcBackend() bounds the answer", async () => {
  await using server = await startServer();
  await using backend = backendOf(server.url);
  assertEquals((await ask(backend, "Big", { bytes: 90_000 })).kind, "ok");
  assertEquals(await ask(backend, "Big", { bytes: 200_000 }), {
    kind: "unavailable",
    reason: "the answer is larger than 100000 bytes",
  });
  assertEquals((await ask(backend, "Seen")).kind, "ok");
});

Deno.test("createGrpcBackend() checks health without a proto", async () => {
  await using server = await startServer();
  await using backend = createGrpcBackend({
    url: server.url,
    maxResponseBytes: 1000,
    openTransport,
  });
  const check = (service: string) => ask(backend, "grpc.health.v1.Health/Check", { service });
  assertEquals(await check(""), valueOutcome({ status: "SERVING" }));
  assertEquals(await check("down"), {
    kind: "unavailable",
    reason: "health check says NOT_SERVING",
  });
  assertEquals((await check("up")).kind, "ok");
});

Deno.test("createGrpcBackend() outlives a killed server and finds its successor", async () => {
  const first = await startServer();
  await using backend = backendOf(first.url);
  const hanging = ask(backend, "Hang");
  await until(async () => (await seenBy(backend))["hangs"] === 1);
  await first[Symbol.asyncDispose]();
  assertEquals((await hanging).kind, "unavailable");
  await until(async () => {
    const outcome = await ask(backend, "Seen");
    assertEquals(outcome.kind, "unavailable");
    return outcome.kind === "unavailable" && outcome.reason === "connection refused";
  });
  await using _second = await startServer(first.port);
  assertEquals((await ask(backend, "Seen")).kind, "ok");
});

Deno.test({
  name: "createGrpcBackend() finds a dead peer by its silence and connects anew",
  ignore: !hasModernHttp2(), // an older Deno cannot ping
  async fn() {
    await using server = await startServer();
    await using backend = backendOf(server.url, { keepaliveMs: 100, keepaliveTimeoutMs: 100 });
    assertEquals((await ask(backend, "Seen")).kind, "ok");
    server.kill("SIGSTOP");
    const outcome = await ask(backend, "Seen"); // no deadline: only the ping can end it
    assertMatch(JSON.stringify(outcome), /unavailable.*no answer to a ping in 100 ms/);
    server.kill("SIGCONT");
    await until(async () => (await ask(backend, "Seen")).kind === "ok");
  },
});

Deno.test("createGrpcBackend() keeps a slow server whose connection lives", async () => {
  await using server = await startServer();
  await using backend = backendOf(server.url, { keepaliveMs: 20, keepaliveTimeoutMs: 5000 });
  const outcome = await ask(backend, "Hang", {}, { deadlineMs: 300 });
  assertMatch(JSON.stringify(outcome), /DEADLINE_EXCEEDED/);
});

Deno.test("createGrpcBackend() fails what is open when disposed of", async () => {
  await using server = await startServer();
  const backend = backendOf(server.url);
  const hanging = ask(backend, "Hang");
  await until(async () => (await seenBy(backend))["hangs"] === 1);
  await backend[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
  assertEquals((await hanging).kind, "unavailable");
  assertMatch(JSON.stringify(await ask(backend, "Seen")), /unavailable.*channel is closed/);
});

Deno.test("createGrpcBackend() rejects a call that does not fit the proto", async () => {
  await using backend = backendOf("http://127.0.0.1:1");
  assertMatch(JSON.stringify(await ask(backend, "Descibe")), /rejected.*did you mean .*Describe/);
  assertMatch(JSON.stringify(await ask(backend, "Fail", { code: "x" })), /rejected.*params.*code/);
});

Deno.test("createGrpcBackend() refuses options out of range", () => {
  const at = (options: object) => () =>
    createGrpcBackend({
      url: "http://127.0.0.1:1",
      maxResponseBytes: 1,
      openTransport,
      ...options,
    });
  assertThrows(at({ maxResponseBytes: 0 }), RangeError, "maxResponseBytes");
  assertThrows(at({ keepaliveMs: 0 }), RangeError, "keepaliveMs");
  assertThrows(at({ url: "ftp://secret@host" }), RangeError, "'url'");
  assertThrows(at({ protoFile: "/nowhere/lab.proto" }), Error, "no such file");
  assertThrows(at({ tls: { ca: "/nowhere/ca.pem" } }), RangeError, "'tls.ca'");
  assertThrows(at({ tls: { cert: LAB_PROTO } }), RangeError, "'key' is missing");
});

const python = "/usr/bin/python3";

async function hasGrpcio(): Promise<boolean> {
  try {
    const command = new Deno.Command(python, { args: ["-c", "import grpc, google.protobuf"] });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

const canAskPython = await hasGrpcio();

Deno.test({
  name: "createGrpcBackend() is understood by grpcio" +
    (canAskPython ? "" : " (ignored: apt-get install python3-grpcio python3-protobuf)"),
  ignore: !canAskPython,
  async fn() {
    const script = new URL("peers/peer.py", import.meta.url).pathname;
    await using peer = await startPeer(python, [script]);
    await using backend = backendOf(peer.url);
    assertEquals(
      await ask(backend, "Describe", { diskName: "sdb" }, { deadlineMs: 10_000 }),
      valueOutcome({
        diskName: "sdb",
        totalBytes: "9007199254740993",
        takenAt: "2025-11-24T16:00:00Z",
      }),
    );
    assertEquals(await ask(backend, "Describe"), {
      kind: "rejected",
      reason: "gRPC INVALID_ARGUMENT: disk_name is missing",
    });
    const missing = await ask(backend, "Seen");
    assert(missing.kind === "rejected" && missing.reason.startsWith("gRPC UNIMPLEMENTED"));
    for (let i = 0; i < 20; i++) {
      assertEquals((await ask(backend, "Describe", { diskName: String(i) })).kind, "ok");
    }
  },
});
