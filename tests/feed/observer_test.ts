import {
  allObservers,
  type FeedObserver,
  type FeedWork,
  observed,
  type WorkEnd,
} from "../../src/feed/observer.ts";
import { backendPlan, FeedBench, HEALTH, sourcePlan } from "../support/feed_bench.ts";
import { ok, rejected, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";
import { assertEquals } from "../support/assert.ts";

const WORK: FeedWork = { kind: "poll", backend: "core", method: "m", channel: "a" };

Deno.test("observed() does the work at once where nobody puts anything around it", async () => {
  assertEquals(await observed({}, WORK, () => Promise.resolve({ outcome: "ok" })), {
    outcome: "ok",
  });
});

Deno.test("allObservers() tells all, and nests what they put around the work", async () => {
  const heard: string[] = [];
  const observer = (name: string): FeedObserver => ({
    onCall: (backend) => heard.push(`${name} call ${backend}`),
    onPoll: ({ channel }) => heard.push(`${name} poll ${channel}`),
    onBreaker: (_backend, to) => heard.push(`${name} ${to}`),
    around: async (_work, run) => {
      heard.push(`${name} begins`);
      const end = await run();
      heard.push(`${name} ends ${end.outcome}`);
      return end;
    },
  });
  const all = allObservers([observer("1"), {}, observer("2")]);
  const end = await observed(all, WORK, () => {
    all.onCall?.("core");
    all.onPoll?.({ channel: "a", backend: "core", outcome: "rejected", durationMs: 1 });
    all.onBreaker?.("core", "open");
    return Promise.resolve({ outcome: "rejected" });
  });
  assertEquals(end, { outcome: "rejected" });
  assertEquals(heard, [
    "1 begins",
    "2 begins",
    "1 call core",
    "2 call core",
    "1 poll a",
    "2 poll a",
    "1 open",
    "2 open",
    "2 ends rejected",
    "1 ends rejected",
  ]);
});

Deno.test("Feed() shows each poll and each health check with its end", async () => {
  const ends: string[] = [];
  const around = async (work: FeedWork, run: () => Promise<WorkEnd>) => {
    const end = await run();
    ends.push([work.channel ?? work.kind, end.outcome, end.reason].filter(Boolean).join(" "));
    return end;
  };
  await using bench = new FeedBench({ observer: { around } });
  const backend = new ScriptedBackend(() => ok(1));
  await bench.apply({ backends: [backendPlan(backend)], sources: [sourcePlan("a")] });
  await bench.until(0);
  backend.script = () => rejected("no");
  await bench.until(5);
  backend.script = () => unavailable("gone");
  await bench.until(20); // three failures: the breaker opens
  await bench.until(25);
  await bench.until(29); // 8 s after it opened
  backend.script = ({ method }) => method === HEALTH ? ok(1) : unavailable();
  await bench.until(37);
  assertEquals(ends.slice(0, 8), [
    "a ok",
    "a rejected no",
    "a unavailable gone",
    "a unavailable gone",
    "a unavailable gone",
    "a refused",
    "health_check unavailable gone",
    "a refused",
  ]);
  assertEquals(ends.includes("health_check ok"), true, ends.join("; "));
});

Deno.test("C32: Feed() tells nobody the query of a method, where a key may stand", async () => {
  const heard: string[] = [];
  const backend = new ScriptedBackend(({ method }) =>
    method === "/a?key=secret" ? rejected("no") : unavailable()
  );
  const call = { method: "/a?key=secret" };
  const observer: FeedObserver = {
    around: (work, run) => {
      heard.push(`${work.kind} ${work.method}`);
      return run();
    },
  };
  await using bench = new FeedBench({ observer });
  await bench.apply({
    backends: [
      backendPlan(backend, { healthCheck: { call, everyMs: 8000, timeoutMs: 5000 } }),
    ],
    sources: [sourcePlan("a", { call }), sourcePlan("b")],
  });
  await bench.until(60);
  const told = bench.audience.of<{ data: { method: string } }>("RPC_FAILURE")
    .map(({ data }) => data.method);
  assertEquals(new Set(told), new Set(["/a?…", "b"]));
  assertEquals(new Set(heard), new Set(["poll /a?…", "poll b", "health_check /a?…"]));
  assertEquals(backend.count("/a?key=secret") > 0, true);
});
