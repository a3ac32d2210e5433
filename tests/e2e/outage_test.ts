import { assert, assertEquals, assertGreater, assertGreaterOrEqual } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { type Mode, RpcBackend } from "../support/rpc_backend.ts";
import { type Heard, WsClient } from "../support/ws_client.ts";

/** Every failure says first what was asked, and where. */
const ASKED = /^POST http:\/\/127\.0\.0\.1:\d+\/rpc GetSystemStatus: /;

/** Ways of being unavailable, and what clients are told of each. */
const OUTAGES: readonly { how: Mode | "refuse"; told: RegExp }[] = [
  // A poll under way when the backend stops ends in one of the other ways.
  { how: "refuse", told: /^connection (refused|reset)$|^the connection closed before / },
  { how: "hang", told: /^no answer within 400 ms$/ },
  { how: "drip", told: /^no answer within 400 ms$/ },
  { how: "reset", told: /^(connection reset|the connection closed before .*)$/ },
  { how: "truncated", told: /^the connection closed before the answer was complete$/ },
  { how: "garbage", told: /^the answer is not HTTP$/ },
  { how: "html", told: /^the answer is not JSON but text\/html$/ },
  { how: "huge_announced", told: /^the answer is larger than 16777216 bytes$/ },
  { how: "huge_chunked", told: /^(the answer is larger than 16777216 bytes|no answer within .*)$/ },
  { how: "http_500", told: /^HTTP 500 Internal Server Error: out of order$/ },
  { how: "http_429", told: /^HTTP 429 Too Many Requests: not so fast$/ },
];

for (const { how, told } of OUTAGES) {
  Deno.test(`an outage by ${how} is told as it is: failures, open, stale values, recovery`, async () => {
    await using backend = new RpcBackend();
    await using hub = await HubProcess.start(configFor(backend));
    await using client = await WsClient.connect(hub.ws());
    await client.waitForCount(2, isFresh);

    if (how === "refuse") await backend.stop();
    else backend.setAll(how);
    await client.waitForCode("CIRCUIT_OPEN");
    const openedAt = client.frames.findIndex(({ data }) => data.code === "CIRCUIT_OPEN");
    await client.waitForCount(3, isStale, { from: openedAt });
    const givenBefore = backend.given;
    backend.setAll("ok");
    backend.start();
    await client.waitForCode("RPC_RECOVERED");
    const recoveredAt = client.frames.findIndex(({ data }) => data.code === "RPC_RECOVERED");
    await client.waitForCount(2, isFresh, { from: recoveredAt });

    assertEquals(storyOf(client.frames), [
      "fresh",
      "RPC_FAILURE",
      "stale",
      "RPC_FAILURE",
      "stale",
      "RPC_FAILURE",
      "CIRCUIT_OPEN",
      "stale",
      "RPC_RECOVERED",
      "fresh",
    ]);
    for (const failure of client.frames.filter(({ data }) => data.code === "RPC_FAILURE")) {
      const { details } = failure.data;
      assert(ASKED.test(details) && told.test(details.replace(ASKED, "")), `told "${details}"`);
    }
    assertNothingStaleLooksFresh(client.frames, givenBefore);
    assertNothingMissing(client.frames);
    assertEquals(client.end, undefined, "no client is closed because a backend failed");
  });
}

Deno.test("a rejected question fails its polls but never opens the breaker", async () => {
  await using backend = new RpcBackend();
  await using hub = await HubProcess.start(configFor(backend));
  await using client = await WsClient.connect(hub.ws());
  await client.waitForCount(1, isFresh);

  backend.setAll("rpc_error");
  await client.waitForCount(5, ({ data }) => data.code === "RPC_FAILURE");
  const givenBefore = backend.given;
  backend.setAll("ok");
  const failedAt = client.frames.findLastIndex(({ data }) => data.code === "RPC_FAILURE");
  await client.waitForCount(1, isFresh, { from: failedAt });

  const story = storyOf(client.frames);
  const failures = story.filter((step) => step === "RPC_FAILURE").length;
  assertGreaterOrEqual(failures, 5);
  assertEquals(story, [
    "fresh",
    ...Array.from({ length: failures }, () => ["RPC_FAILURE", "stale"]).flat(),
    "fresh",
  ]);
  const failure = await client.waitForCode("RPC_FAILURE");
  assertEquals(failure.type, "rpc_error");
  assertEquals(failure.data.component, "rpc");
  assertEquals(failure.data.severity, "error");
  assertEquals(
    failure.data.details.replace(ASKED, ""),
    "JSON-RPC error -32601: Method not found",
  );
  assertNothingStaleLooksFresh(client.frames, givenBefore);
});

Deno.test("a failed trial opens the breaker again for longer, a good one closes it", async () => {
  await using backend = new RpcBackend();
  await using hub = await HubProcess.start(configFor(backend, {
    breaker: { failures: 1, open_for: "500ms", max_open_for: "1m" },
    health_check: { method: "GetSystemStatus", every: "1m", timeout: "300ms" },
  }));
  await using client = await WsClient.connect(hub.ws());
  await client.waitForCount(1, isFresh);

  await backend.stop();
  await client.waitForCount(2, ({ data }) => data.code === "CIRCUIT_OPEN");
  backend.start();
  await client.waitForCode("RPC_RECOVERED");

  const [first, second] = client.frames.filter(({ data }) => data.code === "CIRCUIT_OPEN");
  assertEquals(first?.data.severity, "critical");
  assertEquals(first?.data.data.backend, "core");
  assertEquals(first?.data.data.retry_after_ms, 500);
  assertGreater(second?.data.data.retry_after_ms, 500);
  const story = storyOf(client.frames).join(" ");
  assert(
    story.startsWith(
      "fresh RPC_FAILURE CIRCUIT_OPEN stale RPC_FAILURE CIRCUIT_OPEN stale RPC_",
    ),
    story,
  );
});

Deno.test("a backend that is down when the hub starts is told, and its channel lives once it is up", async () => {
  await using backend = new RpcBackend();
  await backend.stop();
  await using hub = await HubProcess.start(configFor(backend));
  await using client = await WsClient.connect(hub.ws());
  await hub.waitForLog("breaker.opened");
  const early = await fetch(`${hub.url}/snapshot/system_status`);
  assertEquals(early.status, 503);
  await early.body?.cancel();

  backend.start();
  await client.waitFor(isFresh);
  assertEquals(client.frames.filter(isStale), [], "there was no value that could be stale");
});

function configFor(backend: RpcBackend, changes: object = {}): object {
  return {
    backends: { core: quickBackend(backend.url, changes) },
    sources: [quickSource("system_status", "core")],
  };
}

function isStatus({ type }: Heard): boolean {
  return type === "system_status";
}

function isFresh(frame: Heard): boolean {
  return isStatus(frame) && !frame.data.is_stale;
}

function isStale(frame: Heard): boolean {
  return isStatus(frame) && frame.data.is_stale;
}

/** What a client heard, in order; a value shown several times in a row is one step. */
function storyOf(frames: readonly Heard[]): string[] {
  const steps = frames.flatMap((frame) => {
    if (isStatus(frame)) return [frame.data.is_stale ? "stale" : "fresh"];
    return frame.type.endsWith("error") ? [String(frame.data.code)] : [];
  });
  return steps.filter((step, at) => step === step.toUpperCase() || step !== steps[at - 1]);
}

/** Stale values carry why; fresh ones carry no error, and after the outage a newer value. */
function assertNothingStaleLooksFresh(frames: readonly Heard[], givenBefore: number): void {
  const lastTrouble = frames.findLastIndex(isStale);
  for (const [at, { data }] of frames.entries().filter(([, frame]) => isStatus(frame))) {
    if (data.is_stale) {
      assertEquals(data.error.code, "RPC_UNAVAILABLE");
      assertEquals(data.error.severity, "warning");
    } else {
      assertEquals(data.error, undefined);
      if (at > lastTrouble) assertGreater(data.data.n, givenBefore);
    }
  }
  const ages = frames.filter(isStale).map(({ data }) => data.age_ms);
  assertEquals(ages, ages.toSorted((a, b) => a - b), "a cached value only grows older");
}

/** A client of everything gets every broadcast, in order. */
function assertNothingMissing(frames: readonly Heard[]): void {
  const seqs = frames.flatMap(({ seq }) => seq === undefined ? [] : [seq]);
  const [first = 0] = seqs;
  assertEquals(seqs, seqs.map((_, at) => first + at));
}
