import { CLOSE } from "../../src/protocol/close_code.ts";
import { ERROR_CODES } from "../../src/protocol/error_event.ts";
import { assert, assertEquals, assertGreater, assertStringIncludes } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { configOf, startApp, statusOf, wsUrl } from "../support/hub_in_process.ts";
import { hasPromtool, promtool } from "../support/promtool.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { Scrape } from "../support/scrape.ts";
import { WsClient } from "../support/ws_client.ts";

const HEARTBEATS = { heartbeat_every: "100ms" };

function configFor(backend: RpcBackend, changes: object = {}): object {
  return {
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core")],
    hub: HEARTBEATS,
    ...changes,
  };
}

Deno.test({
  name: "GET /metrics keeps to Prometheus' conventions",
  ignore: !hasPromtool(),
  fn: async () => {
    await using backend = new RpcBackend();
    await using app = await startApp(configFor(backend));
    await using client = await WsClient.connect(wsUrl(app));
    await client.waitFor(({ type }) => type === "system_status");
    const { text } = await Scrape.of(app);
    assertEquals(await promtool(["check", "metrics"], text), "");
  },
});

Deno.test("GET /metrics says the same as /status, in series that are there from the start", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(configFor(backend));
  const response = await fetch(`${app.url}/metrics`);
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assertEquals(response.headers.get("cache-control"), "no-store");
  await response.body?.cancel();

  await using client = await WsClient.connect(wsUrl(app));
  client.send({ type: "nonsense" });
  client.send({ type: "subscribe", channels: ["nowhere"] });
  await client.waitForCode("UNKNOWN_CHANNEL");
  const scrape = await Scrape.of(app);
  const status = await statusOf(app);
  for (const code of ERROR_CODES) {
    const expected = status.errors_by_code[code] ?? 0;
    assertEquals(scrape.get(`holdfast_errors_total{code="${code}"}`), expected, code);
  }
  assertEquals(scrape.get(`holdfast_errors_total{code="BAD_MESSAGE"}`), 1);
  const { total_clients, slow_client_drops, read_errors, write_errors } = status;
  assertEquals(total_clients, 1);
  assertEquals(scrape.get("holdfast_clients"), total_clients);
  assertEquals(scrape.get("holdfast_slow_client_drops_total"), slow_client_drops);
  assertEquals(scrape.get("holdfast_read_errors_total"), read_errors);
  assertEquals(scrape.get("holdfast_write_errors_total"), write_errors);
  assertEquals(scrape.get(`holdfast_build_info{version="0.0.0-test"}`), 1);
  assertEquals(scrape.get("holdfast_connections_opened_total"), 1);
  for (const { code } of Object.values(CLOSE)) {
    assertEquals(scrape.get(`holdfast_connections_closed_total{by="hub",code="${code}"}`), 0);
  }
});

Deno.test("GET /metrics follows a backend into an outage and out again", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(configFor(backend));
  await using client = await WsClient.connect(wsUrl(app));
  // The first may be the latest value at its coming, which is no broadcast.
  await client.waitForCount(2, ({ type }) => type === "system_status");
  const poll = (outcome: string) =>
    `holdfast_poll_duration_seconds_count{channel="system_status",backend="core",outcome="${outcome}"}`;
  const state = (is: string) => `holdfast_breaker_state{backend="core",state="${is}"}`;
  const well = await Scrape.of(app);
  assertGreater(well.get(poll("ok")), 0);
  assertEquals([well.get(poll("unavailable")), well.get(poll("rejected"))], [0, 0]);
  assertEquals([well.get(state("closed")), well.get(state("open"))], [1, 0]);
  assertEquals(well.get(`holdfast_snapshot_stale{channel="system_status"}`), 0);
  assertGreater(well.get(`holdfast_backend_calls_total{backend="core"}`), 0);
  assertGreater(well.get("holdfast_fan_out_duration_seconds_count"), 0);
  assertGreater(well.get(`holdfast_frames_sent_total{type="system_status"}`), 0);
  const age = well.get(`holdfast_snapshot_age_seconds{channel="system_status"}`) ?? -1;
  assert(age >= 0 && age < 60, `${age} s`);
  const lastSuccess = `holdfast_source_last_success_timestamp_seconds{channel="system_status"}`;
  assert(Math.abs((well.get(lastSuccess) ?? 0) - Date.now() / 1000) < 60);

  backend.setAll("http_500");
  await client.waitForCode("CIRCUIT_OPEN");
  await client.waitForBeats(2);
  const broken = await Scrape.of(app);
  assertEquals([broken.get(state("closed")), broken.get(state("open"))], [0, 1]);
  assertEquals(broken.get(poll("unavailable")), 3);
  assertEquals(broken.get(`holdfast_snapshot_stale{channel="system_status"}`), 1);
  assertGreater(broken.get(`holdfast_backend_retry_after_seconds{backend="core"}`), 0);
  assertEquals(broken.get(`holdfast_backend_consecutive_failures{backend="core"}`), 3);
  assertEquals(broken.get(`holdfast_breaker_transitions_total{backend="core",to="open"}`), 1);

  backend.setAll("ok");
  await client.waitForCode("RPC_RECOVERED");
  const from = client.frames.length;
  backend.setAll("rpc_error"); // the backend is there, and rejects the polls
  await client.waitForCode("RPC_FAILURE", { from });
  const rejected = await Scrape.of(app);
  assertGreater(rejected.get(poll("rejected")), 0);
  assertEquals([rejected.get(state("closed")), rejected.get(state("open"))], [1, 0]);
  assertEquals(rejected.get(`holdfast_breaker_transitions_total{backend="core",to="closed"}`), 1);
});

Deno.test("GET /metrics names what the configuration names, and after a reload no more of the old", async () => {
  await using backend = new RpcBackend();
  const config = {
    backends: { core: quickBackend(backend.url), old: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core"), quickSource("gone", "old")],
    hub: HEARTBEATS,
  };
  await using app = await startApp(config);
  await using client = await WsClient.connect(wsUrl(app));
  await client.waitFor(({ type }) => type === "gone");
  const before = await Scrape.of(app);
  assertEquals(before.labelValues("backend"), ["core", "old"]);
  assertEquals(before.labelValues("channel"), ["system_status", "gone"]);

  await app.reload(configOf({
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core"), quickSource("fresh", "core")],
    hub: HEARTBEATS,
  }));
  await client.waitFor(({ type }) => type === "fresh");
  const after = await Scrape.of(app);
  assertEquals(after.labelValues("backend"), ["core"]);
  assertEquals(after.labelValues("channel"), ["system_status", "fresh"]);
  assert(!after.labelValues("type").includes("gone"), "a type of frames that is gone");
  const polls = (scrape: Scrape) =>
    scrape.get(
      `holdfast_poll_duration_seconds_count{channel="system_status",backend="core",outcome="ok"}`,
    ) ?? 0;
  assert(polls(after) >= polls(before), "what stays keeps its counts");
});

Deno.test("GET /metrics shows nothing that clients make up", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(configFor(backend));
  await using client = await WsClient.connect(`${wsUrl(app)}?channels=inventedbyclient,heartbeat`);
  client.send({ type: "subscribe", channels: ["alsoinvented"] });
  client.send({ type: "ping", id: "pinginvented" });
  await client.waitFor(({ type }) => type === "pong");
  await (await fetch(`${app.url}/pathinvented`)).body?.cancel();
  const { text } = await Scrape.of(app);
  assert(!text.includes("invented"), text);
});

Deno.test("GET /metrics counts what waits for a stalled client, and its end", async () => {
  await using backend = new RpcBackend();
  backend.pad("GetSystemStatus", 1_000_000);
  const hub = { ...HEARTBEATS, stall_timeout: "1s" };
  await using app = await startApp(configFor(backend, { hub }));
  using _stalled = await RawClient.connect(wsUrl(app));
  await using witness = await WsClient.connect(`${wsUrl(app)}?channels=heartbeat,error`);
  let waiting = await Scrape.of(app);
  const isValueWaiting = () => (waiting.get("holdfast_outbox_bytes") ?? 0) > 1_000_000;
  while (!isValueWaiting() && witness.codes.length === 0) {
    await witness.waitForBeats(1);
    waiting = await Scrape.of(app);
  }
  assertGreater(waiting.get("holdfast_outbox_frames"), 0);
  assertEquals(waiting.get("holdfast_outbox_clients"), 1);
  assertGreater(waiting.get("holdfast_outbox_bytes"), 1_000_000);
  assertGreater(waiting.get("holdfast_connection_buffered_bytes"), 0);
  await witness.waitForCode("SLOW_CLIENT");
  const after = await Scrape.of(app);
  assertGreater(after.get(`holdfast_frames_conflated_total{type="system_status"}`), 0);
  assertEquals(after.get(`holdfast_connections_closed_total{by="hub",code="1013"}`), 1);
  assertEquals(after.get("holdfast_slow_client_drops_total"), 1);
  assertEquals(after.get("holdfast_outbox_frames"), 0);
});

Deno.test("GET /metrics counts clients for which there is no place, and why", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(configFor(backend, { hub: { ...HEARTBEATS, max_clients: 1 } }));
  await using _client = await WsClient.connect(wsUrl(app));
  const refused = await fetch(`${app.url}/events`);
  assertEquals(refused.status, 503);
  await refused.body?.cancel();
  const scrape = await Scrape.of(app);
  assertEquals(scrape.get(`holdfast_clients_refused_total{reason="full"}`), 1);
  assertEquals(scrape.get(`holdfast_clients_refused_total{reason="draining"}`), 0);
});

Deno.test("GET /metrics counts this process' descriptors", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(configFor(backend));
  const before = (await Scrape.of(app)).get("process_open_fds") ?? 0;
  const files = Array.from({ length: 500 }, () => Deno.openSync("/dev/null"));
  try {
    const { text, series } = await Scrape.of(app);
    // Connections of the test's own come and go as well.
    const more = (series.get("process_open_fds") ?? 0) - before;
    assert(more > 400 && more < 600, `${more} more`);
    assertGreater(series.get("process_max_fds"), 0);
    assertStringIncludes(text, "process_resident_memory_bytes");
  } finally {
    for (const file of files) file.close();
  }
});

Deno.test("GET /metrics is for those with a token, where the hub wants one", async () => {
  const token = "a-token-that-is-long-enough";
  await using backend = new RpcBackend();
  const auth = { tokens: [{ name: "scraper", token, channels: [], metrics: true }] };
  await using app = await startApp(configFor(backend, { auth }));
  const refused = await fetch(`${app.url}/metrics`);
  assertEquals([refused.status, refused.headers.get("www-authenticate")], [401, "Bearer"]);
  await refused.body?.cancel();
  const response = await fetch(`${app.url}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assertEquals(response.status, 200);
  const text = await response.text();
  assertStringIncludes(text, "holdfast_clients 0");
  assert(!text.includes(token));
  const head = await fetch(`${app.url}/metrics`, {
    method: "HEAD",
    headers: { authorization: `Bearer ${token}` },
  });
  assertEquals([head.status, await head.text()], [200, ""]);
  const posted = await fetch(`${app.url}/metrics`, { method: "POST" });
  assertEquals(posted.status, 405);
  await posted.body?.cancel();
});
