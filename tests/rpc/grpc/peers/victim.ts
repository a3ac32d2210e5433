/**
 * What a hub has of gRPC, in a process of its own, asking a server without end: `victim.ts URL SEED
 * [CA]`. Its death is seen by whoever started it. Ends with exit code 0 once standard input does, after saying in one line of
 * JSON what came of its calls; with 3 if a call outlives its deadline by far.
 */
import { grpcCommand } from "../../../../src/cli/grpc_process.ts";
import { systemClock } from "../../../../src/resilience/clock.ts";
import { TransportProcess } from "../../../../src/rpc/grpc/process/transport_process.ts";
import type { GrpcOptions } from "../../../../src/rpc/grpc/grpc_backend.ts";
import { Chance } from "../../../support/seed.ts";
import { ask, backendOf } from "../support.ts";

const [url = "", seed = "1", ca] = Deno.args;
/** Connections at a time. */
const BACKENDS = 12;
/** Calls at a time on each. */
const CALLS = 3;
const DEADLINE_MS = 200;
/** A call that is open for longer was forgotten, in milliseconds. */
const FORGOTTEN_MS = 10_000;

const stop = new AbortController();
const seen: Record<string, number> = {};
const reasons: Record<string, number> = {};
let worstLagMs = 0;
let worstRss = 0;
let calls = 0;
let deaths = 0;

async function pound(chance: Chance): Promise<void> {
  let transport: TransportProcess | undefined;
  const options: Partial<GrpcOptions> = {
    keepaliveMs: 50,
    keepaliveTimeoutMs: 50,
    openTransport: (endpoint) =>
      transport = new TransportProcess(endpoint, {
        command: grpcCommand(),
        clock: systemClock,
        pingEveryMs: 100,
        restart: { minMs: 10, maxMs: 100 },
      }),
    ...(ca ? { tls: { ca } } : {}),
  };
  while (!stop.signal.aborted) {
    await using backend = backendOf(url, options);
    for (let rounds = chance.between(1, 1000); rounds > 0 && !stop.signal.aborted; rounds--) {
      await Promise.all(Array.from({ length: CALLS }, () => once(backend, chance)));
      // While there is no process, a call costs nothing and says so at once.
      if (transport?.pid === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    deaths += transport?.deaths ?? 0;
  }
}

async function once(backend: ReturnType<typeof backendOf>, chance: Chance): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const timers = [setTimeout(() => Deno.exit(3), FORGOTTEN_MS)];
  if (chance.percent(10)) {
    timers.push(setTimeout(() => controller.abort(new Error("enough")), chance.between(0, 30)));
  }
  calls += 1;
  const isStream = chance.percent(25);
  if (isStream) timers.push(setTimeout(() => controller.abort(), DEADLINE_MS));
  const asked = isStream
    ? watch(backend, signal)
    : ask(backend, "Describe", {}, { signal, deadlineMs: DEADLINE_MS });
  const outcome = await asked.catch(() => ({ kind: "aborted", reason: "" }));
  timers.forEach(clearTimeout);
  seen[outcome.kind] = (seen[outcome.kind] ?? 0) + 1;
  if ("reason" in outcome) reasons[outcome.reason] = (reasons[outcome.reason] ?? 0) + 1;
}

/** Reads a stream to its end; resolves with that. */
async function watch(backend: ReturnType<typeof backendOf>, signal: AbortSignal) {
  const call = { method: "holdfast.lab.v1.Lab/Watch", stream: true };
  const events = backend.stream(call, { signal });
  for (;;) {
    const { value, done } = await events.next();
    if (done) return value;
    if (value.kind === "message") await value.read();
  }
}

let due = performance.now() + 50;
const lagWatch = setInterval(() => {
  worstLagMs = Math.max(worstLagMs, performance.now() - due);
  due = performance.now() + 50;
  worstRss = Math.max(worstRss, Deno.memoryUsage().rss);
}, 50);

const chance = new Chance(Number(seed));
const pounding = Array.from({ length: BACKENDS }, () => pound(chance.fork()));
const ended = (async () => {
  for await (const _ of Deno.stdin.readable);
  stop.abort();
})();
await Promise.all([ended, ...pounding]);
clearInterval(lagWatch);
const report = {
  processDeaths: deaths,
  calls,
  seen,
  reasons,
  worstLagMs: Math.round(worstLagMs),
  worstRssMb: Math.round(worstRss / 2 ** 20),
};
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report) + "\n"));
