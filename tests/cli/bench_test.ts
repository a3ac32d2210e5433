import { bench, type BenchFlags } from "../../src/cli/bench.ts";
import { readHead } from "../../src/cli/bench/head.ts";
import { LogHistogram } from "../../src/cli/bench/histogram.ts";
import { Ledger, newSpan } from "../../src/cli/bench/ledger.ts";
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "../support/assert.ts";
import { runHoldfast } from "../support/command_line.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { startApp } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { type ScriptedConnection, ScriptedHub } from "../support/scripted_hub.ts";
import { FakeScreen, recordedIo } from "./fake_screen.ts";

async function benched(url: string, flags: BenchFlags, screen = new FakeScreen()) {
  const io = recordedIo();
  const signal = new AbortController().signal;
  const code = await bench(url, { json: true, ...flags }, io, { signal, screen });
  const [text] = io.outs;
  return { code, io, screen, result: text === undefined ? undefined : JSON.parse(text) };
}

/** A hub that says something once `clients` have come. */
function hubOf(clients: number, say: (connections: ScriptedConnection[]) => void): ScriptedHub {
  const welcomed: ScriptedConnection[] = [];
  return new ScriptedHub({
    script: (connection) => {
      connection.welcome();
      if (welcomed.push(connection) === clients) say(welcomed);
    },
  });
}

/** Sends broadcasts once the last client has had the time to be welcomed. */
function later(say: () => void): void {
  setTimeout(say, 100);
}

Deno.test("bench() measures a real hub, and misses nothing", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp({
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core")],
    hub: { heartbeat_every: "100ms" },
    shutdown: { drain: "100ms" },
  });
  const { code, result } = await benched(app.url, { clients: "60", for: "1500ms" });
  assertEquals(code, 0);
  assertEquals(result.clients, 60);
  assertEquals(result.connected_at_end, 60);
  assert(result.deliveries >= 60 * 2, "each client got several");
  assert(result.bytes > result.deliveries * 50);
  assertEquals([result.missed, result.lost, result.reconnects, result.not_frames], [0, 0, 0, 0]);
  assert(result.broadcasts > 2);
  for (const figures of [result.spread_ms, result.ping_ms]) {
    assert(figures.count > 0);
    assert(figures.p50 <= figures.p99 && figures.p99 <= figures.max);
  }
  assertEquals(app.statusReport().read_errors, 0, "it leaves in good order");
});

Deno.test("bench() finds the event that one client did not get", async () => {
  await using hub = hubOf(3, (connections) => {
    later(() => {
      for (const [at, connection] of connections.entries()) {
        for (const seq of [1, 2, 3]) {
          if (at !== 1 || seq !== 2) connection.send("notification", { title: "x" }, seq);
        }
        // A value that another one took the place of is no loss.
        for (const seq of [4, 5]) {
          if (at !== 2 || seq !== 4) connection.status("system_status", 1, seq);
        }
      }
    });
  });
  const { code, result } = await benched(hub.url, { clients: "3", for: "600ms" });
  assertEquals(code, 0);
  assertEquals([result.missed, result.conflated, result.broadcasts], [1, 1, 5]);
  assertEquals(result.deliveries, 13);
  assertEquals(result.deliveries_by_type, { notification: 8, system_status: 5 });
});

Deno.test("bench() counts those that were lost, and comes back", async () => {
  await using hub = hubOf(2, ([first]) => later(() => void first?.close(1013, "slow client")));
  const { result } = await benched(hub.url, { clients: "2", for: "2s" });
  assertEquals([result.lost, result.slow_client_drops, result.reconnects], [1, 1, 1]);
  assertEquals(hub.connections.length, 3);
});

Deno.test("bench() ends with 1 and says why when not all are let in", async () => {
  let door = 0;
  await using hub = new ScriptedHub({
    door: () => ++door > 2 ? new Response(null, { status: 503 }) : undefined,
  });
  const { code, io } = await benched(hub.url, { clients: "3" });
  assertEquals(code, 1);
  assertEquals(io.errs, ["holdfast: 2 of 3 clients were let in: HTTP 503"]);
  assertEquals(hub.open.length, 0, "none is left behind");
});

Deno.test("bench() tells what was measured until it was stopped", async () => {
  await using hub = new ScriptedHub();
  const stop = new AbortController();
  const io = recordedIo();
  const screen = new FakeScreen({ isTerminal: true });
  const done = bench(hub.url, { clients: "2", for: "1h" }, io, { signal: stop.signal, screen });
  await screen.until(/of 3600 s/);
  stop.abort();
  assertEquals(await done, 0);
  assertMatch(io.outs[0] ?? "", /^2 clients for \d+\.\d s$/);
});

Deno.test("bench() draws its progress on a terminal, takes it away, and is silent elsewhere", async () => {
  await using hub = new ScriptedHub();
  const screen = new FakeScreen({ isTerminal: true, size: { columns: 90, rows: 5 } });
  await benched(hub.url, { clients: "2", for: "300ms" }, screen);
  assertMatch(screen.written, /\[#{30}\] 2 of 2 clients connected/);
  assertMatch(screen.written, /\[#*\.*\] 0\.3 of 0\.3 s, 0 deliveries\/s/);
  assert(screen.written.endsWith("\r\x1b[K"));
  const silent = await benched(hub.url, { clients: "1", for: "100ms" });
  assertEquals(silent.screen.written, "");
});

Deno.test("bench() refuses another machine's hub unless told that it is meant", async () => {
  for (const url of ["http://hub.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com"]) {
    const { code, io } = await benched(url, {});
    assertEquals(code, 2);
    assertMatch(io.errs.join(), /--yes-this-is-mine/);
  }
  const { code, io } = await benched("http://holdfast.invalid", {
    yesThisIsMine: true,
    clients: "1",
  });
  assertEquals(code, 1, "it tries");
  assertMatch(io.errs.join(), /0 of 1 clients were let in: the hub cannot be reached/);
});

Deno.test("bench() ends with 2 and tells all problems of its arguments", async () => {
  const { code, io } = await benched("ftp://x", { clients: "10001", for: "50ms" });
  assertEquals(code, 2);
  assertEquals(io.errs.length, 3);
  assertMatch(io.errs.join(), /--clients: found "10001"; expected a whole number from 1 to 10000/);
  for (const clients of ["0", "-1", "1.5", "many", ""]) {
    assertEquals((await benched("http://127.0.0.1:1", { clients })).code, 2, clients);
  }
});

Deno.test("Ledger expects of a client only what came while it was connected", () => {
  const ledger = new Ledger();
  const [whole, late, early] = [newSpan(0), newSpan(2), newSpan(0)];
  for (const span of [whole, late, early]) ledger.enter(span);
  ledger.heard(early, "notification", 1, 0);
  early.isOver = true;
  for (const seq of [1, 2, 3]) ledger.heard(whole, "notification", seq, 1);
  ledger.heard(late, "notification", 3, 2);
  assertEquals(ledger.findings(), { missed: 0, conflated: 0, broadcasts: 3 });
});

Deno.test("Ledger measures the spread from the first client's receipt", () => {
  const ledger = new Ledger();
  const spans = [newSpan(0), newSpan(0), newSpan(0)] as const;
  ledger.heard(spans[0], "heartbeat", 1, 0);
  ledger.measureFrom(5);
  ledger.heard(spans[1], "heartbeat", 1, 6);
  assertEquals(ledger.spread.total, 0, "what began before is not measured");
  ledger.heard(spans[0], "heartbeat", 2, 10);
  ledger.heard(spans[1], "heartbeat", 2, 14);
  ledger.heard(spans[2], "heartbeat", 2, 17);
  assertEquals(ledger.spread.total, 2);
  assertEquals(ledger.spread.max, 7);
});

Deno.test("Ledger settles broadcasts that are far behind, without end", () => {
  const ledger = new Ledger();
  const [first, second] = [newSpan(0), newSpan(0)];
  ledger.enter(first);
  ledger.enter(second);
  for (let seq = 1; seq <= 20_000; seq++) {
    ledger.heard(first, "notification", seq, seq);
    if (seq !== 100) ledger.heard(second, "notification", seq, seq);
  }
  assertEquals(ledger.findings(), { missed: 1, conflated: 0, broadcasts: 20_000 });
});

Deno.test("Histogram tells percentiles to two per cent", () => {
  const histogram = new LogHistogram();
  assertEquals(histogram.percentile(0.5), undefined);
  for (let ms = 1; ms <= 1000; ms++) histogram.add(ms);
  assertAlmostEquals(histogram.percentile(0.5) ?? 0, 500, 10);
  assertAlmostEquals(histogram.percentile(0.99) ?? 0, 990, 20);
  assertEquals(histogram.percentile(1), 1000);
  histogram.add(0);
  histogram.add(1e12);
  assertEquals(histogram.max, 1e12);
});

Deno.test("readHead() reads type and seq, from any spelling of a frame", () => {
  const data = `"data":{"type":"other","seq":9}`;
  const timestamp = `"timestamp":1`;
  assertEquals(readHead(`{"type":"a",${timestamp},"seq":3,${data}}`), { type: "a", seq: 3 });
  assertEquals(readHead(`{"type":"a",${timestamp},${data}}`), { type: "a", seq: undefined });
  assertEquals(readHead(`{ ${data}, "seq": 3, "type": "a" }`), { type: "a", seq: 3 });
  for (const text of ["", "null", "[]", "{}", `{"type":1}`]) {
    assertEquals(readHead(text), undefined);
  }
});

Deno.test("holdfast bench prints its result for people", async () => {
  await using hub = new ScriptedHub();
  const { code, stdout } = await runHoldfast([
    "bench",
    hub.url,
    "--clients",
    "2",
    "--for",
    "300ms",
  ]);
  assertEquals(code, 0);
  assertMatch(stdout, /^2 clients for 0\.3 s\ndeliveries {2}0, 0\/s/);
});
