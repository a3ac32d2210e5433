import type { Clock } from "../resilience/clock.ts";
import type { Change } from "./change.ts";
import type { StoreClient } from "./store_client.ts";

/** Between two transactions, in milliseconds. What happens meanwhile is in the tail. */
const BATCH_MS = 100;

export interface BatchesOptions {
  clock: Clock;
  client: StoreClient;
  signal: AbortSignal;
  /** Number of the tail's newest record. */
  newest: () => number;
  /** The store did not take a batch; no further one is brought until {@linkcode Batches.begin}. */
  onFailed: (error: unknown) => void;
}

/**
 * Brings changes from the tail into the store, all that came meanwhile in one transaction: of several
 * of one entry the newest alone.
 */
export class Batches {
  readonly #options: BatchesOptions;
  #pending = new Map<string, Change>();
  #underWay = 0;
  #applied = 0;
  /** Counts the times that the store began. */
  #era = 0;
  #isOpen = false;
  #isRunning = false;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** Number of the newest record that the store has. */
  get applied(): number {
    return this.#applied;
  }

  /** Changes that the store has not taken yet. */
  get waiting(): number {
    return this.#pending.size + this.#underWay;
  }

  /** Takes a change; it is brought in as soon as the store takes any. */
  add(changes: readonly Change[]): void {
    for (const change of changes) this.#pending.set(`${change.kind}\0${change.key}`, change);
    if (this.#isOpen) void this.#run();
  }

  /** The store takes changes from now on, and has all up to this record. */
  begin(applied: number): void {
    this.#era += 1;
    this.#applied = applied;
    this.#isOpen = true;
  }

  /** It does not: what waits is forgotten. */
  stop(): void {
    this.#isOpen = false;
    this.#pending.clear();
  }

  /** What came while the store took nothing. */
  takePending(): Change[] {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    return pending;
  }

  /** Brings in the rest, after whatever is under way. */
  async finish(): Promise<void> {
    this.#isOpen = false;
    await this.#options.client.apply(this.takePending(), this.#options.newest());
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { clock, client, signal, newest, onFailed } = this.#options;
    try {
      while (this.#isOpen && this.#pending.size > 0) {
        const upTo = newest();
        const changes = this.takePending();
        const era = this.#era;
        this.#underWay = changes.length;
        await client.apply(changes, upTo);
        this.#underWay = 0;
        // Unless the store has begun anew meanwhile, with other numbers.
        if (era === this.#era) this.#applied = upTo;
        await clock.sleep(BATCH_MS, { signal });
      }
    } catch (error) {
      if (!signal.aborted) onFailed(error); // else the rest is brought in by `finish`
    } finally {
      this.#isRunning = false;
      this.#underWay = 0;
    }
  }
}
