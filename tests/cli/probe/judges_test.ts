import { AgreementJudge } from "../../../src/cli/probe/agreement_judge.ts";
import { BreakerJudge } from "../../../src/cli/probe/breaker_judge.ts";
import { CheckFaults, ok } from "../../../src/cli/probe/check.ts";
import { ClockJudge, HeartbeatJudge, SeqJudge } from "../../../src/cli/probe/pace_judges.ts";
import { frameFaults, welcomeFaults } from "../../../src/cli/probe/shapes.ts";
import { StatusJudge } from "../../../src/cli/probe/status_judge.ts";
import type { HeardFrame } from "../../../src/cli/probe/socket.ts";
import { assertEquals, assertMatch } from "../../support/assert.ts";

const T = 1_764_000_000;

/** A frame that came at `at` ms, on a wall clock that reads `T` at 0. */
function heard(type: string, data: unknown, at = 0, seq?: number): HeardFrame {
  const timestamp = T + Math.floor(at / 1000);
  return { frame: { type, timestamp, seq, data }, at, wallSeconds: timestamp };
}

function value(cachedAt: number, ageMs: number, more: object = {}) {
  return { data: 1, is_stale: false, cached_at: cachedAt, age_ms: ageMs, ...more };
}

const UNAVAILABLE = {
  code: "RPC_UNAVAILABLE",
  message: "cached",
  timestamp: T,
  component: "rpc",
  severity: "warning",
};
const STALE = { is_stale: true, error: UNAVAILABLE };

Deno.test("StatusJudge accepts a value that grows old, is stale, and is renewed", () => {
  const judge = new StatusJudge();
  judge.note(heard("a", value(T, 0), 0));
  judge.note(heard("a", value(T, 9500), 9500));
  judge.note(heard("a", value(T, 20_100, STALE), 20_100));
  judge.note(heard("a", value(T + 25, 100), 25_200));
  assertEquals(judge.verdict().verdict, "ok");
  // Several values within one second, one of them after a failure.
  judge.note(heard("a", value(T + 25, 300, STALE), 25_400));
  judge.note(heard("a", value(T + 25, 0), 25_500));
  assertEquals(judge.verdict(), ok("staleness", "4 fresh and 2 stale frames, 1 channels"));
});

Deno.test("StatusJudge accepts the codes of stale values, and no others", () => {
  const judge = new StatusJudge();
  const error = { ...UNAVAILABLE, code: "PUBLISHER_SILENT", component: "client" };
  judge.note(heard("a", value(T, 0, { is_stale: true, error }), 0));
  assertEquals(judge.verdict().verdict, "ok");
  judge.note(
    heard("b", value(T, 0, { is_stale: true, error: { ...error, code: "RPC_FAILURE" } }), 0),
  );
  assertMatch(
    judge.verdict().seen,
    /the code "RPC_FAILURE", not RPC_UNAVAILABLE or PUBLISHER_SILENT or SOURCE_REMOVED/,
  );
});

Deno.test("StatusJudge finds an age that stands still, also where the frame's time does", () => {
  const judge = new StatusJudge();
  for (const at of [0, 4000, 8000]) {
    const { frame } = heard("a", value(T, 0), 0);
    judge.note({ frame, at, wallSeconds: T });
  }
  const { verdict, seen } = judge.verdict();
  assertEquals(verdict, "FAIL");
  assertMatch(seen, /the same cached_at came 4000 ms ago/);
});

Deno.test("StatusJudge finds a cached_at that goes back", () => {
  const judge = new StatusJudge();
  judge.note(heard("a", value(T + 10, 0), 10_000));
  judge.note(heard("a", value(T, 11_000), 11_000));
  assertMatch(judge.verdict().seen, /cached_at went back by 10 s/);
});

Deno.test("HeartbeatJudge bears lateness, not absence", () => {
  const late = new HeartbeatJudge(10_000, 0);
  for (const at of [10_000, 22_000, 30_000]) late.note(at);
  assertEquals(late.verdict(34_000).verdict, "ok");
  assertEquals(late.verdict(46_000).verdict, "FAIL");
  assertEquals(new HeartbeatJudge(10_000, 0).verdict(5000).verdict, "skip");
  assertEquals(new HeartbeatJudge(10_000, 0).verdict(16_000).verdict, "FAIL");
});

Deno.test("SeqJudge lets lanes overtake each other, but nothing come twice", () => {
  const judge = new SeqJudge(10);
  judge.note(heard("heartbeat", {}, 0, 13));
  judge.note(heard("notification", {}, 0, 11));
  judge.note(heard("system_status", {}, 0, 12));
  judge.note(heard("system_status", {}, 0)); // for this client alone
  assertEquals(judge.verdict(), ok("seq", "3 broadcasts, 10 -> 13"));
  judge.note(heard("rpc_error", {}, 0, 13));
  judge.note(heard("notification", {}, 0, 10));
  assertMatch(judge.verdict().seen, /13 came twice; .*10 is not above .*10 came after 11/);
});

Deno.test("SeqJudge bears what hubs that share a stream do: heartbeats without one, numbers begun anew", () => {
  const judge = new SeqJudge(10);
  judge.note(heard("notification", {}, 0, 12));
  judge.note(heard("heartbeat", { cluster_clients_connected: 3 }, 0));
  judge.restart(4);
  judge.note(heard("notification", {}, 0, 5));
  assertEquals(judge.verdict(), ok("seq", "1 broadcasts, 4 -> 5"));
  judge.note(heard("heartbeat", {}, 0));
  judge.note(heard("notification", {}, 0, 4));
  assertMatch(judge.verdict().seen, /is a broadcast and has no seq; .*4 is not above/);
});

Deno.test("ClockJudge finds a clock that is more than 5 s off", () => {
  const judge = new ClockJudge();
  const { frame } = heard("heartbeat", {});
  judge.note({ frame, at: 0, wallSeconds: T + 5 });
  assertEquals(judge.verdict().verdict, "ok");
  judge.note({ frame, at: 0, wallSeconds: T + 6 });
  assertMatch(judge.verdict().seen, /heartbeat: 6 s behind this machine's clock/);
});

function look(at: number, states: Record<string, string>, source: object) {
  const backends = Object.fromEntries(
    Object.entries(states).map(([name, state]) => [name, { state }]),
  );
  return { askedAt: at, answeredAt: at + 10, backends, sources: { a: source } };
}

const FED = { last_success: T, is_stale: false, age_ms: 0 };

Deno.test("BreakerJudge blames only a breaker that was open before and after", () => {
  const states: [string, string, "ok" | "FAIL"][] = [
    ["closed", "closed", "ok"],
    ["closed", "open", "ok"],
    ["open", "closed", "ok"],
    ["open", "half_open", "ok"],
    ["open", "open", "FAIL"],
  ];
  for (const [before, after, expected] of states) {
    const judge = new BreakerJudge();
    judge.look(look(0, { core: before }, FED));
    judge.note(heard("a", value(T, 0), 500));
    judge.look(look(1000, { core: after }, FED));
    assertEquals(judge.verdict().verdict, expected, `${before}, ${after}`);
  }
});

Deno.test("BreakerJudge does not blame a breaker that closed in between", () => {
  const judge = new BreakerJudge();
  judge.look(look(0, { core: "open" }, FED));
  judge.note(heard("rpc_error", { code: "RPC_RECOVERED", data: { backend: "core" } }, 400));
  judge.note(heard("a", value(T, 0), 500));
  judge.look(look(1000, { core: "open" }, FED));
  assertEquals(judge.verdict().verdict, "ok");
});

Deno.test("BreakerJudge does not blame a frame that may have been sent before", () => {
  const judge = new BreakerJudge();
  judge.look(look(0, { core: "open" }, FED));
  judge.note(heard("a", value(T, 0), 200));
  judge.look(look(1000, { core: "open" }, FED));
  assertEquals(judge.verdict().verdict, "ok");
});

Deno.test("BreakerJudge learns from errors which of several backends feeds a channel", () => {
  const states = { core: "open", other: "closed" };
  for (const [backend, expected] of [[undefined, "ok"], ["other", "ok"], ["core", "FAIL"]]) {
    const judge = new BreakerJudge();
    const error = { ...UNAVAILABLE, data: { channel: "a", backend } };
    judge.note(heard("a", value(T, 0, { is_stale: true, error }), 0));
    judge.look(look(0, states, FED));
    judge.note(heard("a", value(T, 0), 500));
    judge.look(look(1000, states, FED));
    assertEquals(judge.verdict().verdict, expected, backend);
  }
});

Deno.test("BreakerJudge blames a source that /status called stale all the while", () => {
  const cases: [number, "ok" | "FAIL"][] = [[6000, "FAIL"], [100, "ok"]]; // 100: a success between
  for (const [ageMs, expected] of cases) {
    const judge = new BreakerJudge();
    judge.look(look(0, { core: "closed" }, { ...FED, is_stale: true, age_ms: 5000 }));
    judge.note(heard("a", value(T, 0), 500));
    judge.look(look(1000, { core: "closed" }, { ...FED, is_stale: true, age_ms: ageMs }));
    assertEquals(judge.verdict().verdict, expected);
  }
});

Deno.test("AgreementJudge compares a snapshot with the frames around it", () => {
  const judge = new AgreementJudge();
  judge.note(heard("a", value(T, 0), 0));
  judge.note(heard("a", value(T + 5, 0), 5000));
  judge.note(heard("a", value(T + 10, 0), 10_000));
  const at = (cachedAt: number, more: object = {}) => ({ a: value(cachedAt, 10, more) });
  assertEquals(judge.disagreements(at(T + 5), 5100), [], "the last before");
  assertEquals(judge.disagreements(at(T + 10), 5100), [], "one that came meanwhile");
  assertEquals(judge.disagreements(at(T), 5100).length, 1, "an older one");
  assertEquals(judge.disagreements(at(T + 5, { data: 2 }), 5100).length, 1, "another value");
  assertEquals(judge.disagreements({}, 5100).length, 1, "none at all");
  assertEquals(judge.disagreements(at(T + 10, STALE), 10_100), [], "it may have turned stale");
  judge.note(heard("a", value(T + 10, 5000), 15_000));
  assertMatch(judge.verdict().seen, /a frame calls fresh what \/snapshot called stale/);
});

Deno.test("frameFaults() and welcomeFaults() name what is wrong with each field", () => {
  const frame = heard("system_status", value(T, 0), 0, 1).frame;
  assertEquals(frameFaults(frame), []);
  assertEquals(frameFaults({ ...frame, timestamp: 1764000000.5, seq: "1", data: [] }), [
    "system_status: timestamp is 1764000000.5, not whole unix seconds",
    'system_status: seq is "1", not a positive whole number',
    "system_status: data is [], not an object",
  ]);
  assertEquals(frameFaults({ ...frame, type: "Nonsense" }), [
    'Nonsense: "Nonsense" is no type of frame',
  ]);
  assertEquals(frameFaults({ ...frame, type: "rpc_error", data: { ...UNAVAILABLE } }), [
    "rpc_error: RPC_UNAVAILABLE came as rpc_error, not inside_status",
  ]);
  assertEquals(welcomeFaults({}).length, 7);
  assertEquals(welcomeFaults(null), ["data is null, not an object"]);
});

Deno.test("Faults tells the first few and counts the others", () => {
  const faults = new CheckFaults();
  for (const fault of ["a", "a", "b", "c", "d", "e"]) faults.add(fault);
  const { verdict, seen } = faults.verdict("frames", ok("frames", "all is well"));
  assertEquals(verdict, "FAIL");
  assertEquals(seen, "a; b; c; and 3 more like it");
});
