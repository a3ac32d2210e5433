import type { HubAccess } from "../hub_access.ts";
import type { Clock } from "../../resilience/clock.ts";
import { BenchClient } from "./bench_client.ts";
import { type Findings, Ledger } from "./ledger.ts";
import { LoadTally } from "./tally.ts";

export interface LoadTestOptions {
  /** The hub's WebSocket address. */
  url: string;
  token: string | undefined;
  access: HubAccess;
  clients: number;
  forMs: number;
  clock: Clock;
  /** Ends the load early; what was measured until then is told. */
  signal: AbortSignal;
  /** Called several times a second. */
  onProgress: (progress: LoadProgress) => void;
}

export type LoadProgress =
  | { readonly phase: "connecting"; readonly done: number; readonly of: number }
  | {
    readonly phase: "measuring";
    /** Milliseconds. */
    readonly done: number;
    readonly of: number;
    readonly perSecond: number;
  };

/** What a load has shown. */
export type LoadResult =
  /** Not every client was let in: nothing was measured. */
  | { readonly kind: "not_connected"; readonly connected: number }
  | {
    readonly kind: "measured";
    /** How long was measured, in milliseconds. */
    readonly ms: number;
    readonly tally: LoadTally;
    readonly ledger: Ledger;
    readonly findings: Findings;
    /** Connected when the time was over. */
    readonly connectedAtEnd: number;
  };

/** Clients that connect at a time: a hub is to be measured, not to be stormed. */
const RAMP_AT_ONCE = 50;
const PROGRESS_MS = 200;
/** How often this program looks how late its own timers are, in milliseconds. */
const OWN_DELAY_MS = 20;

/** Connects the clients, listens for a while, and lets go of everything. */
export async function runLoad(options: LoadTestOptions): Promise<LoadResult> {
  const { url, token, access, clients, forMs, clock, signal, onProgress } = options;
  const tally = new LoadTally();
  const ledger = new Ledger();
  const stop = new AbortController();
  const onStop = () => stop.abort();
  signal.addEventListener("abort", onStop, { once: true });
  if (signal.aborted) onStop();
  const running: Promise<void>[] = [];
  try {
    while (running.length < clients && !stop.signal.aborted) {
      const some: BenchClient[] = [];
      while (some.length < RAMP_AT_ONCE && running.length < clients) {
        const client = new BenchClient({
          url,
          token,
          access,
          clock,
          ledger,
          tally,
          signal: stop.signal,
        });
        some.push(client);
        running.push(client.run());
      }
      const welcomed = await Promise.all(some.map((client) => client.welcomed));
      onProgress({ phase: "connecting", done: tally.connected, of: clients });
      if (welcomed.includes(false)) break;
    }
    const connected = tally.connected;
    if (connected < clients) return { kind: "not_connected", connected };
    const startedAt = clock.now();
    tally.isMeasuring = true;
    ledger.measureFrom(startedAt);
    const watching = watchOwnDelay(clock, tally, stop.signal);
    while (clock.now() - startedAt < forMs && !stop.signal.aborted) {
      const leftMs = forMs - (clock.now() - startedAt);
      await clock.sleep(Math.min(PROGRESS_MS, leftMs), { signal: stop.signal }).catch(() => {});
      const ms = clock.now() - startedAt;
      const perSecond = tally.deliveries / ms * 1000;
      onProgress({ phase: "measuring", done: Math.min(ms, forMs), of: forMs, perSecond });
    }
    tally.isMeasuring = false;
    const ms = clock.now() - startedAt;
    const connectedAtEnd = tally.connected;
    onStop();
    await watching;
    return { kind: "measured", ms, tally, ledger, findings: ledger.findings(), connectedAtEnd };
  } finally {
    signal.removeEventListener("abort", onStop);
    onStop();
    await Promise.all(running);
  }
}

async function watchOwnDelay(clock: Clock, tally: LoadTally, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const startedAt = clock.now();
    await clock.sleep(OWN_DELAY_MS, { signal }).catch(() => {});
    if (!signal.aborted) tally.ownDelay.add(clock.now() - startedAt - OWN_DELAY_MS);
  }
}
