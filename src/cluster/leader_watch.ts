import type { Clock } from "../resilience/clock.ts";
import { type Broker, BrokerError } from "./broker.ts";
import type { Claim, Entry } from "./entry.ts";

/** Beside the lease: how long another hub may take to notice that it is free and to claim, in ms. */
const TAKEOVER_MARGIN_MS = 3000;

/** What leaders of before this version do: a claim again after so long without a word, in ms. */
const OLD_CLAIM_EVERY_MS = 20_000;

/** The watch looks at least so often, in milliseconds: later than that, this process stood still. */
const LOOK_EVERY_MS = 1000;

export interface LeaderWatchOptions {
  clock: Clock;
  /** How long a lease lasts that is not renewed, in milliseconds. */
  leaseMs: number;
}

/** Nobody leads, or what is said does not arrive. */
export class LeaderSilent extends BrokerError {
  /** For how long nothing was heard, in milliseconds. */
  readonly forMs: number;

  constructor(why: string, forMs: number) {
    super(why);
    this.forMs = forMs;
  }
}

/**
 * Watches whether the stream brings a leader's entries, as it must: a leader repeats its claim when it
 * has nothing else to say. Whatever keeps them away, a bucket deleted, a full disk, a reader that was
 * forgotten, the broker is of no use then, however well it answers.
 */
export class LeaderWatch {
  readonly #options: LeaderWatchOptions;
  #heardAt = -Infinity;
  #claimEveryMs = 0;

  constructor(options: LeaderWatchOptions) {
    this.#options = options;
  }

  /** A leader's entry came through the stream. */
  heard(entry: Entry): void {
    this.#heardAt = this.#options.clock.now();
    if (entry.kind === "claim") this.#claimEveryMs = paceOf(entry);
  }

  /** Gives the broker up once no leader was heard for long enough; until it is lost. */
  async run(broker: Broker): Promise<void> {
    const { clock, leaseMs } = this.#options;
    this.#heardAt = clock.now();
    while (!broker.lost.aborted) {
      const silentAfterMs = Math.max(leaseMs, this.#claimEveryMs) + TAKEOVER_MARGIN_MS;
      const silentMs = clock.now() - this.#heardAt;
      if (silentMs >= silentAfterMs) {
        const why = `no leader was heard for ${Math.round(silentMs)} ms`;
        return broker.giveUp(new LeaderSilent(why, silentMs));
      }
      const dueAt = clock.now() + Math.min(LOOK_EVERY_MS, silentAfterMs - silentMs);
      await clock.sleep(dueAt - clock.now(), { signal: broker.lost }).catch(() => {});
      const lateMs = clock.now() - dueAt;
      // What was said meanwhile has yet to be read.
      if (lateMs > LOOK_EVERY_MS) this.#heardAt += lateMs;
    }
  }
}

function paceOf({ every_ms = OLD_CLAIM_EVERY_MS }: Claim): number {
  return every_ms;
}
