/**
 * A hub that runs for long among clients that come, go, stall and resume, backends that fail at
 * random and reloads keeps its size and tells no lie. Runs for `HOLDFAST_SOAK_MINUTES`; without
 * that it is ignored. An hour is what shows a slow leak.
 */
import { sleep, StormBackend } from "../chaos/storm_backend.ts";
import { Publisher } from "../chaos/publisher.ts";
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "../support/assert.ts";
import { complaintsOf } from "../support/complaints.ts";
import { HubProcess } from "../support/hub_process.ts";
import { childListeningOn, openHandles, residentBytes } from "../support/process_facts.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { Guest } from "./guest.ts";

const FLAG = "HOLDFAST_SOAK_MINUTES";
const isAsked = Boolean(Deno.env.get(FLAG));
if (!isAsked) say(`soak: left out; ${FLAG}=60 runs it for an hour`);

const MINUTE_MS = 60_000;
const MEBIBYTE = 1024 * 1024;
const GUESTS = 300;
/** What is judged: the last half hour, or the last two thirds of a shorter run. */
const JUDGED_MS = 30 * MINUTE_MS;
const MAX_GROWTH_MIB = 10;
/**
 * Handles and timers come and go with connections that are just being made or ended. One kept for
 * each connection that ends would be thousands by then.
 */
const MAX_MORE_HANDLES = 40;
const MAX_MORE_TIMERS = 100;
const SAMPLE_MS = 5000;
const RELOAD_MS = 20_000;
const PUBLISH_MS = 500;
const TOKEN = "soaking";
const SMALL = "system_status,queue_status,notification,error,heartbeat";
const TIMER_COUNT = new URL("timer_count.ts", import.meta.url).pathname;

interface Sample {
  readonly resident: number;
  readonly heap: number;
  readonly handles: number;
  readonly timers: number;
}

Deno.test({
  name: "a hub among clients that come, go, stall and resume keeps its size and tells no lie",
  ignore: !isAsked,
  fn: async () => {
    const forMs = numberFromEnv(FLAG, 1) * MINUTE_MS;
    const chance = new Chance(runSeed("soak"));
    const padding = { GetLarge: 60_000 };
    await using core = new StormBackend({ chance: chance.fork(), padding, slowMs: 600 });
    await using second = new StormBackend({ chance: chance.fork(), padding: {}, slowMs: 600 });
    const configs = [false, true].map((isOther) => configFor(core.url, second.url, isOther));
    const [config = {}] = configs;
    await using hub = await HubProcess.start(config, { preload: TIMER_COUNT });
    const pid = childListeningOn(Number(new URL(hub.url).port));
    const publisher = new Publisher(hub.url, TOKEN);
    const guests = Array.from({ length: GUESTS }, () =>
      new Guest({
        url: hub.ws({ token: TOKEN, channels: SMALL }),
        largeUrl: hub.ws({ token: TOKEN, channels: "large_status" }),
        chance: chance.fork(),
        givenAt: (channel, n) => (channel === "queue_status" ? second : core).given.get(n)?.at,
      }));

    const samples: Sample[] = [];
    const end = new AbortController();
    const { signal } = end;
    let reloads = 0;
    const timer = setTimeout(() => end.abort(), forMs);
    try {
      await Promise.all([
        core.storm(signal),
        second.storm(signal),
        publisher.run(PUBLISH_MS, signal),
        every(RELOAD_MS, signal, () => {
          reloads += 1;
          hub.reload(configs[reloads % configs.length] ?? config);
        }),
        every(SAMPLE_MS, signal, () => {
          const counted = hub.logs.findLast(({ event }) => event === "soak.counted");
          if (counted === undefined) return;
          samples.push({
            resident: residentBytes(pid),
            heap: Number(counted["heap"]),
            handles: openHandles(pid),
            timers: Number(counted["timers"]),
          });
          if (samples.length % 12 === 0) say(`soak: ${lineOf(samples, guests)}`);
        }),
        ...guests.map((guest) => guest.run(signal).finally(() => end.abort())),
      ]);
    } finally {
      clearTimeout(timer);
      end.abort();
    }

    const judged = samples.slice(-Math.floor(Math.min(JUDGED_MS, forMs * 2 / 3) / SAMPLE_MS));
    const third = Math.ceil(judged.length / 3);
    const [first, last] = [medians(judged.slice(0, third)), medians(judged.slice(-third))];
    const refused = hub.logs.filter(({ event }) => event === "config.reload_failed");
    const breaches = guests.flatMap(({ check }) => check.breaches);
    const unwanted = guests.flatMap((guest) => guest.unwanted);
    say(
      `soak: ${forMs / MINUTE_MS} minutes, ${reloads} reloads, ${publisher.published.size} ` +
        `notifications, ${core.faultCount + second.faultCount} faults; ${lineOf(samples, guests)}`,
    );
    say(
      `soak: of the last ${judged.length * SAMPLE_MS / MINUTE_MS} minutes, medians of the first ` +
        `and the last third: resident ${mib(first.resident)} -> ${mib(last.resident)}, heap ` +
        `${mib(first.heap)} -> ${mib(last.heap)}, descriptors ${first.handles} -> ` +
        `${last.handles}, timers ${first.timers} -> ${last.timers}`,
    );
    assertEquals(breaches, []);
    assertEquals(unwanted, []);
    assertEquals(refused, []);
    assertLessOrEqual(last.resident - first.resident, MAX_GROWTH_MIB * MEBIBYTE);
    assertLessOrEqual(last.heap - first.heap, MAX_GROWTH_MIB * MEBIBYTE);
    assertLessOrEqual(last.handles - first.handles, MAX_MORE_HANDLES);
    assertLessOrEqual(last.timers - first.timers, MAX_MORE_TIMERS);
    assertEquals(await hub.stop(), 0);
    assertEquals(complaintsOf(hub), []);
    assert(core.faultCount > 0 && second.faultCount > 0);
    assertGreater(sum(guests, ({ check }) => check.checked), 0);
  },
});

/** How it goes, in one line. */
function lineOf(samples: readonly Sample[], guests: readonly Guest[]): string {
  const now = medians(samples.slice(-12));
  const of = (count: keyof Guest["counts"]) => sum(guests, ({ counts }) => counts[count]);
  return `${sum(guests, ({ check }) => check.checked)} frames checked, ` +
    `${sum(guests, ({ check }) => check.fresh)} of them fresh values, ` +
    `${sum(guests, ({ check }) => check.breachCount)} breaches; ${of("left")} left, ` +
    `${of("vanished")} vanished, ${of("dropped")} dropped, ${of("resumed")} resumed, ` +
    `${sum(guests, ({ unwanted }) => unwanted.length)} lost; resident ${mib(now.resident)}, ` +
    `heap ${mib(now.heap)}, ${now.handles} descriptors, ${now.timers} timers`;
}

function medians(samples: readonly Sample[]): Sample {
  const of = (pick: (sample: Sample) => number) =>
    samples.map(pick).toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
  return {
    resident: of((sample) => sample.resident),
    heap: of((sample) => sample.heap),
    handles: of((sample) => sample.handles),
    timers: of((sample) => sample.timers),
  };
}

function mib(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

async function every(ms: number, signal: AbortSignal, act: () => void): Promise<void> {
  while (!signal.aborted) {
    await sleep(ms, signal).catch(() => {});
    if (!signal.aborted) act();
  }
}

/** Reloads go to and fro between two of these: another pace, a source more. */
function configFor(coreUrl: string, secondUrl: string, isOther: boolean): object {
  const backend = {
    transport: "json-rpc",
    timeout: "1200ms",
    retry: { attempts: 2, min: "20ms", max: "100ms" },
    breaker: { failures: 3, open_for: "600ms", max_open_for: "2s" },
    health_check: { method: "Health", every: "400ms", timeout: "300ms" },
    max_response_bytes: 1_000_000,
  };
  const source = { every: "1s", stale_after: "5s" };
  return {
    backends: { core: { ...backend, url: coreUrl }, second: { ...backend, url: secondUrl } },
    sources: [
      { ...source, channel: "system_status", backend: "core", method: "GetSystemStatus" },
      { ...source, channel: "large_status", backend: "core", method: "GetLarge" },
      {
        ...source,
        channel: "queue_status",
        backend: "second",
        method: "GetQueues",
        every: isOther ? "700ms" : "1s",
      },
      ...(isOther
        ? [{ ...source, channel: "extra_status", backend: "second", method: "GetExtra" }]
        : []),
    ],
    hub: { heartbeat_every: "2s", ping_every: "20s", stall_timeout: "10s", max_clients: 1000 },
    auth: { tokens: [{ name: "soak", token: TOKEN, channels: ["*"], publish: true }] },
  };
}
