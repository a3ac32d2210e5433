import type { Clock } from "../../resilience/clock.ts";

export interface PendingUpgradesOptions {
  clock: Clock;
  /** Aborted when the hub stops: then nobody is given up on any more. */
  signal: AbortSignal;
  /** How long a connection may take to open, in milliseconds. Default: {@linkcode OPEN_WITHIN_MS}. */
  withinMs?: number;
}

/** How long a connection may take to open once its request was answered, in milliseconds. */
export const OPEN_WITHIN_MS = 10_000;

/** A connection that may never open. */
export interface PendingUpgrade {
  /** It took too long. */
  giveUp(): void;
}

/**
 * The connections whose request was answered and that have not opened yet. Of a client that is gone
 * by then the runtime says nothing at all, so they are given up on; one timer does for all.
 */
export class PendingUpgrades {
  readonly #options: PendingUpgradesOptions;
  /** When each is given up on, the first one first. */
  readonly #deadlines = new Map<PendingUpgrade, number>();
  #isRunning = false;

  constructor(options: PendingUpgradesOptions) {
    this.#options = options;
  }

  add(pendingUpgrade: PendingUpgrade): void {
    const { clock, withinMs = OPEN_WITHIN_MS } = this.#options;
    this.#deadlines.set(pendingUpgrade, clock.now() + withinMs);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  /** It has opened, or is gone. */
  remove(pendingUpgrade: PendingUpgrade): void {
    this.#deadlines.delete(pendingUpgrade);
  }

  async #run(): Promise<void> {
    const { clock, signal } = this.#options;
    try {
      for (let first = this.#first(); first !== undefined; first = this.#first()) {
        await clock.sleep(first - clock.now(), { signal });
        this.#giveUpLate();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  #first(): number | undefined {
    return this.#deadlines.values().next().value;
  }

  #giveUpLate(): void {
    const now = this.#options.clock.now();
    for (const [pendingUpgrade, deadline] of this.#deadlines) {
      if (deadline > now) return;
      this.#deadlines.delete(pendingUpgrade);
      pendingUpgrade.giveUp();
    }
  }
}
