import { startLogs } from "../../src/telemetry/log.ts";
import type { Script } from "../support/scripted_backend.ts";
import { backendPlan, FeedBench, HEALTH, sourcePlan } from "../support/feed_bench.ts";
import { ok, rejected, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";
import { assert, assertEquals } from "../support/assert.ts";

interface Line {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

const NIGHT_S = 8 * 3600;

/** The log of a night in which the backend does as scripted, and of the morning it recovers. */
async function night(script: Script): Promise<Line[]> {
  const lines: Line[] = [];
  await using _logs = startLogs({
    level: "info",
    format: "json",
    write: (line) => void lines.push(JSON.parse(line)),
  });
  const backend = new ScriptedBackend(script);
  await using bench = await FeedBench.start({
    // Health checks are few, so that the test is quick; they do not write lines.
    backends: [
      backendPlan(backend, {
        healthCheck: { call: { method: HEALTH }, everyMs: 600_000, timeoutMs: 360_000_000 },
      }),
    ],
    sources: [sourcePlan("a", { everyMs: 20_000 })],
  });
  await bench.until(NIGHT_S);
  backend.script = () => ok(1);
  await bench.until(NIGHT_S + 900);
  return lines;
}

Deno.test("Feed() logs a night of rejected polls in a dozen lines, with counts", async () => {
  const lines = await night(({ method }) => method === HEALTH ? ok(1) : rejected("no such method"));
  const events = lines.map(({ event, level }) => `${level} ${event}`);
  assertEquals(events.filter((each) => each === "warning poll.failed").length, 1);
  assertEquals(events.at(-1), "info poll.recovered");
  const reminders = lines.filter(({ event }) => event === "poll.still_failing");
  assert(reminders.length >= 5 && lines.length <= 15, `${lines.length} lines`);
  const first = reminders[0];
  assertEquals(
    [first?.channel, first?.backend, first?.code, first?.why, first?.failures, first?.duration_ms],
    ["a", "core", "RPC_FAILURE", "no such method", 16, 300_000],
  );
  assertEquals(lines.at(-1)?.failures, NIGHT_S / 20 + 1);
});

Deno.test("Feed() logs a night of a backend that is gone in a few dozen lines", async () => {
  const lines = await night(() => unavailable());
  const count = (event: string) => lines.filter((line) => line.event === event).length;
  assertEquals([count("poll.failed"), count("breaker.opened")], [1, 1]);
  assertEquals([count("poll.recovered"), count("breaker.closed")], [1, 1]);
  assert(count("breaker.still_open") >= 5, "reminders of the breaker");
  assert(lines.length <= 30, `${lines.length} lines`);
  for (const line of lines) {
    if (line.event !== "poll.recovered") assert("code" in line, JSON.stringify(line));
  }
});
