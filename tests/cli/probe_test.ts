import { probe } from "../../src/cli/probe.ts";
import { CHECK_NAMES } from "../../src/cli/probe/check.ts";
import { json } from "../../src/protocol/codec.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { startApp } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { runHoldfast } from "../support/command_line.ts";
import { recordedIo } from "./fake_screen.ts";
import { type Lies, ModelHub, type Outgoing } from "./model_hub.ts";

interface Seen {
  readonly check: string;
  readonly verdict: string;
  readonly seen: string;
}

/** Probes a hub and returns what was told, by check. */
async function probed(
  url: string,
  { token, forText = "2s" }: { token?: string; forText?: string } = {},
) {
  const io = recordedIo(token === undefined ? {} : { HOLDFAST_TOKEN: token });
  const signal = new AbortController().signal;
  const code = await probe(url, { json: true, for: forText }, io, { signal, patienceMs: 2000 });
  const checks = io.outs.map((line) => JSON.parse(line) as Seen);
  const failed = checks.filter(({ verdict }) => verdict === "FAIL");
  return { code, checks, failed, byName: new Map(checks.map((each) => [each.check, each])) };
}

function hubConfig(backend: RpcBackend, more: object = {}): object {
  return {
    backends: { core: quickBackend(backend.url) },
    sources: [
      quickSource("system_status", "core"),
      quickSource("storage_update", "core", { method: "GetStorage", every: "300ms" }),
    ],
    hub: { heartbeat_every: "400ms" },
    shutdown: { drain: "100ms" },
    ...more,
  };
}

Deno.test("probe() finds every check in order at the real hub", async () => {
  await using backend = new RpcBackend();
  const token = "a-token-of-some-length";
  const auth = { tokens: [{ name: "probe", token, channels: ["*"], publish: false }] };
  await using app = await startApp(hubConfig(backend, { auth }));
  // Something to be replayed to those who resume.
  const timer = setInterval(() => app.hub.broadcast("notification", json({ title: "x" })), 300);
  try {
    const { code, checks } = await probed(app.url, { token });
    assertEquals(checks.filter(({ verdict }) => verdict !== "ok"), []);
    assertEquals(checks.map(({ check }) => check).sort(), [...CHECK_NAMES].sort());
    assertEquals(code, 0);
  } finally {
    clearInterval(timer);
  }
});

Deno.test("probe() finds the real hub honest while its backend is gone", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(hubConfig(backend));
  while (app.statusReport().sources["storage_update"]?.last_success === null) await tick();
  while (app.statusReport().sources["system_status"]?.last_success === null) await tick();
  await backend.stop();
  while (app.statusReport().backends["core"]?.state !== "open") await tick();
  const { code, failed, byName } = await probed(app.url);
  assertEquals(failed, []);
  assertEquals(code, 0);
  assertMatch(byName.get("staleness")?.seen ?? "", /^0 fresh and [1-9]\d* stale/);
  assertMatch(byName.get("breaker")?.seen ?? "", /seen open: core/);
});

Deno.test("probe() does not make the hub tell its other clients of anything", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(hubConfig(backend));
  await probed(app.url, { forText: "1s" });
  const { errors_by_code, read_errors, total_clients } = app.statusReport();
  assertEquals(total_clients, 0);
  assertEquals(read_errors, 0);
  assertEquals(Object.keys(errors_by_code).sort(), ["BAD_MESSAGE", "UNKNOWN_CHANNEL"]);
});

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

/** Applies to frames of one type. */
function frames(type: string, change: (frame: Outgoing) => Outgoing | Outgoing[]): Lies {
  return { tamper: (frame) => frame.type === type ? change(frame) : frame };
}

type Change = (data: Record<string, unknown>, n: number) => Record<string, unknown>;

/** Applies to the data of status frames, and to that of the snapshot. */
function values(change: Change, inSnapshot: Change = change): Lies {
  let n = 0;
  return {
    ...frames("system_status", (frame) => ({ ...frame, data: change(frame.data, n++) })),
    answer: (path, body) =>
      path === "/snapshot"
        ? { system_status: inSnapshot(body["system_status"] as Record<string, unknown>, n) }
        : body,
  };
}

function status(change: (body: Record<string, unknown>) => Record<string, unknown>): Lies {
  return { answer: (path, body) => path === "/status" ? change(body) : body };
}

function unavailable(more: object = {}) {
  const timestamp = Math.floor(Date.now() / 1000);
  return {
    code: "RPC_UNAVAILABLE",
    message: "cached",
    timestamp,
    component: "rpc",
    severity: "warning",
    ...more,
  };
}

const LONG_AGO = Math.floor(Date.now() / 1000) - 1000;
const ageOf = (cachedAt: number) => Date.now() - cachedAt * 1000;
const old = () => ({ cached_at: LONG_AGO, age_ms: ageOf(LONG_AGO) });

/** Each lie, and the checks that must find it out: those and no others. */
const LIES: [name: string, lies: Lies, caughtBy: string[], token?: string][] = [
  ["none", {}, []],
  ["/healthz answers 500", {
    answer: (path, body) => path === "/healthz" ? new Response(null, { status: 500 }) : body,
  }, ["healthz"]],
  ["/readyz answers 503", {
    answer: (path, body) =>
      path === "/readyz" ? Response.json({ ready: false, why: ["x"] }, { status: 503 }) : body,
  }, ["readyz"]],
  [
    "/snapshot is open to those without a token",
    {
      answer: (path, body, { headers }) =>
        path === "/status" && !headers.has("authorization")
          ? new Response(null, { status: 401 })
          : body,
    },
    ["auth"],
    "a-token",
  ],
  [
    "the welcome has no epoch",
    frames("welcome", ({ data: { epoch: _, ...data }, ...frame }) => ({
      ...frame,
      data,
    })),
    ["welcome"],
  ],
  [
    "the welcome comes second",
    frames("welcome", (frame) => [
      {
        type: "heartbeat",
        timestamp: frame.timestamp,
        seq: 1,
        data: { timestamp: 1, clients_connected: 1 },
      },
      frame,
    ]),
    ["welcome"],
  ],
  ["the latest value is not sent", {
    ...frames("system_status", (frame) => frame.seq === undefined ? [] : frame),
    statusEveryMs: 600_000,
  }, ["snapshot", "subscribe"]],
  ["pongs have another id", frames("pong", (frame) => ({ ...frame, data: { id: "other" } })), [
    "ping",
  ]],
  ["bad messages are met with silence", {
    tamper: (frame) => frame.data["code"] === "BAD_MESSAGE" ? [] : frame,
  }, ["bad_message", "bad_message_limit"]],
  ["any channel can be subscribed to", {
    tamper: (frame) => frame.data["code"] === "UNKNOWN_CHANNEL" ? [] : frame,
  }, ["unknown_channel"]],
  ["channels that were left still come", {
    hear: (text, connection) => {
      if (!text.includes("unsubscribe")) return false;
      const channels = [...connection.subscribed].filter((each) => each !== "system_status");
      connection.send({
        type: "subscribed",
        timestamp: Math.floor(Date.now() / 1000),
        data: { channels },
      });
      return true;
    },
  }, ["subscribe"]],
  ["heartbeats do not come", { heartbeatEveryMs: 600_000 }, ["heartbeat"]],
  ["heartbeats come far too often", { heartbeatEveryMs: 40 }, ["heartbeat"]],
  ["a status frame does not say when", values(({ cached_at: _, ...data }) => data), ["frames"]],
  ["pongs have a seq", frames("pong", (frame) => ({ ...frame, seq: 1_000_000 })), ["frames"]],
  ["errors have the wrong severity", {
    tamper: (frame) =>
      frame.type === "error" ? { ...frame, data: { ...frame.data, severity: "critical" } } : frame,
  }, ["frames"]],
  [
    "seq goes down",
    frames("notification", (frame) => ({
      ...frame,
      seq: 2_000_000 - (frame.seq ?? 0),
    })),
    ["seq"],
  ],
  ["stale values do not say why", values((data) => ({ ...data, is_stale: true })), ["staleness"]],
  [
    "stale values blame something else",
    values((data) => ({
      ...data,
      is_stale: true,
      error: unavailable({ code: "RPC_FAILURE", severity: "error" }),
    })),
    ["staleness"],
  ],
  ["fresh values have an error", values((data) => ({ ...data, error: unavailable() })), [
    "staleness",
  ]],
  [
    "old values are said to be young",
    values((data) => ({
      ...data,
      cached_at: LONG_AGO,
      age_ms: 0,
    })),
    ["staleness"],
  ],
  [
    "cached_at lies in the future",
    values((data) => ({
      ...data,
      cached_at: Number(data["cached_at"]) + 100,
    })),
    ["staleness"],
  ],
  [
    "stale values become fresh with no newer one",
    values((data, n) => ({
      ...data,
      data: 1,
      ...old(),
      ...(n % 2 === 0 ? { is_stale: true, error: unavailable() } : {}),
    }), (data) => ({ ...data, data: 1, ...old(), is_stale: true, error: unavailable() })),
    ["staleness", "snapshot_agrees"],
  ],
  [
    "the clock is wrong",
    frames("heartbeat", (frame) => ({
      ...frame,
      timestamp: frame.timestamp + 100,
    })),
    ["clock"],
  ],
  ["/snapshot has other values", {
    answer: (path, body) =>
      path === "/snapshot"
        ? { system_status: { ...body["system_status"] as object, data: { n: -1 } } }
        : body,
  }, ["snapshot_agrees"]],
  [
    "/snapshot calls fresh what frames call stale",
    frames("system_status", (frame) => ({
      ...frame,
      data: { ...frame.data, is_stale: true, error: unavailable() },
    })),
    ["snapshot_agrees"],
  ],
  [
    "fresh with the breaker open",
    status((body) => ({
      ...body,
      backends: {
        core: { state: "open", consecutive_failures: 3, retry_after_ms: 1, last_error: "x" },
      },
    })),
    ["breaker"],
  ],
  [
    "fresh while /status says stale",
    status((body) => ({
      ...body,
      sources: {
        system_status: {
          last_success: LONG_AGO,
          last_error: "x",
          is_stale: true,
          age_ms: ageOf(LONG_AGO),
        },
      },
    })),
    ["breaker"],
  ],
  ["/status lacks error_count", status(({ error_count: _, ...body }) => body), ["status"]],
  ["/status counts no client", status((body) => ({ ...body, total_clients: 0 })), ["status"]],
  ["a resume is not recovered", {
    tamper: (frame, { query }) =>
      frame.type === "welcome" && query.has("epoch")
        ? { ...frame, data: { ...frame.data, recovered: false, gap: true } }
        : frame,
  }, ["resume"]],
  ["a resume from another epoch is recovered", {
    tamper: (frame, { query }) =>
      frame.type === "welcome" && query.has("epoch")
        ? { ...frame, data: { ...frame.data, recovered: true, gap: false } }
        : frame,
  }, ["resume"]],
  ["a resume brings nothing", {
    tamper: (frame, { query }) => frame.type === "notification" && query.has("epoch") ? [] : frame,
  }, ["replay"]],
  ["bad messages are borne for ever", {
    hear: (_text, connection) => {
      connection.bad = Math.min(connection.bad, 1);
      return false;
    },
  }, ["bad_message_limit"]],
  ["three bad messages are too many", {
    hear: (_text, connection) => {
      if (connection.bad === 3) connection.socket.close(1008);
      return connection.bad === 3;
    },
  }, ["bad_message_limit"]],
  ["messages that are too big end with another code", {
    hear: (text, connection) => {
      if (text.length > 65_536) connection.socket.close(1000);
      return text.length > 65_536;
    },
  }, ["message_size"]],
  ["messages of any size are read", {
    hear: (text, connection) => {
      const timestamp = Math.floor(Date.now() / 1000);
      const data = unavailable({ code: "BAD_MESSAGE", component: "hub" });
      if (text.length > 65_536) connection.send({ type: "error", timestamp, data });
      return text.length > 65_536;
    },
  }, ["message_size"]],
];

Deno.test("probe() finds out each lie by the check that is about it, and by no other", async () => {
  // At the same time, as most of it is waiting; a few at a time, as the machine may be small.
  const left = [...LIES];
  const found = new Map<string, { code: number; failed: Seen[] }>();
  await Promise.all(Array.from({ length: 13 }, async () => {
    for (let lie = left.shift(); lie; lie = left.shift()) {
      const [name, lies, , token] = lie;
      await using hub = new ModelHub(lies);
      found.set(name, await probed(hub.url, token === undefined ? {} : { token }));
    }
  }));
  const told = LIES.map(([name]) => {
    const { code, failed = [] } = found.get(name) ?? {};
    return { name, code, failed };
  });
  assertEquals(
    told.map(({ name, code, failed }) => ({ name, code, by: failed.map(({ check }) => check) })),
    LIES.map(([name, , by]) => ({ name, code: by.length === 0 ? 0 : 1, by })),
    JSON.stringify(told.filter(({ failed }) => failed.length > 0), null, 1),
  );
});

Deno.test("probe() tells why it is not let in, and skips what it could not see", async () => {
  const shut = () => new Response(null, { status: 401 });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, shut);
  const io = recordedIo();
  const signal = new AbortController().signal;
  const code = await probe(`http://127.0.0.1:${server.addr.port}`, { token: "s3cret" }, io, {
    signal,
    isTerminal: false,
  });
  assertEquals(code, 1);
  const text = io.outs.join("\n");
  assertStringIncludes(text, "FAIL handshake          refused: HTTP 401");
  assertStringIncludes(text, "skip welcome");
  assertEquals(io.outs.length, CHECK_NAMES.length + 1, "each check has its line");
  assertMatch(io.outs.at(-1) ?? "", /^\d+ ok, \d+ failed, \d+ skipped$/);
  assert(!text.includes("s3cret"));
});

Deno.test("probe() stops when told to, with 1", async () => {
  await using hub = new ModelHub();
  const stop = new AbortController();
  const io = recordedIo();
  const code = await probe(hub.url, { for: "1h" }, {
    ...io,
    out: (line) => {
      io.out(line);
      if (line.includes("subscribe")) stop.abort();
    },
  }, { signal: stop.signal });
  assertEquals(code, 1);
  assertMatch(io.errs.join(), /interrupted/);
});

Deno.test("probe() ends with 2 and tells all problems of its arguments", async () => {
  const io = recordedIo();
  assertEquals(await probe("ftp://x", { for: "soon", token: "" }, io), 2);
  assertEquals(io.errs.length, 3);
  assertMatch(io.errs.join("\n"), /--for: found "soon"; expected a duration such as "10s"/);
});

Deno.test("holdfast probe ends with 1 where there is no hub", async () => {
  const { code, stdout } = await runHoldfast(["probe", "http://127.0.0.1:1"]);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "FAIL handshake          refused: cannot be reached");
});
