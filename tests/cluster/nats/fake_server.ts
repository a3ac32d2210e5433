import {
  type Appended,
  type AppendOptions,
  BrokerError,
  type OpenBroker,
  type Stored,
  type StreamState,
} from "../../../src/cluster/broker.ts";
import type { Clock } from "../../../src/resilience/clock.ts";
import { FakeBroker } from "../fake_broker.ts";

interface Kept extends Stored {
  readonly as: AppendOptions["as"];
}

/**
 * The broker all hubs of a test share, in memory: a stream with a fence, entries that are stored
 * once under one name, a lease that runs out by the test's clock, the latest values.
 *
 * @example
 * ```ts
 * const server = new FakeServer(clock, { leaseMs: 5000 });
 * const broker = server.connect();
 * broker.lose("cut off");
 * ```
 */
export class FakeServer {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly brokers = new Set<FakeBroker>();
  readonly latest = new Map<string, Stored & { readonly id: string }>();
  /** While set, everything is answered and nothing is stored, for this reason. */
  refuses: string | undefined;
  /** While true, connections are refused. */
  isDown = false;
  /** While true, the fence lets everybody through, as that of some servers does at times. */
  isLax = false;
  /** While true, what is stored reaches nobody. */
  isMute = false;
  /** Entries that were handed to readers, of all hubs together. */
  read = 0;
  /** Messages that nobody keeps, each as often as it was heard. */
  saidAndHeard = 0;
  /** While true, nobody can have the lease. */
  isLeaseGone = false;
  maxBytes = Infinity;
  #entries: Kept[] = [];
  #last = 0;
  #lives = 1;
  #byName = new Map<string, number>();
  #lease: { readonly holder: string; readonly term: number; readonly until: number } | undefined;
  #terms = 0;

  constructor(clock: Clock, { leaseMs = 5000 }: { leaseMs?: number } = {}) {
    this.clock = clock;
    this.leaseMs = leaseMs;
  }

  /** What the stream holds. */
  get entries(): readonly Stored[] {
    return this.#entries;
  }

  get state(): StreamState {
    const first = this.#entries[0]?.seq ?? this.#last + 1;
    const bytes = this.#entries.reduce((sum, { text }) => sum + text.length, 0);
    return { id: `life ${this.#lives}`, first, last: this.#last, bytes };
  }

  /** Who has the lease now. */
  get holder(): string | undefined {
    return this.clock.now() < (this.#lease?.until ?? 0) ? this.#lease?.holder : undefined;
  }

  get newestOfLeaders(): Kept | undefined {
    return this.#entries.findLast(({ as }) => as === "leader");
  }

  connect(): FakeBroker {
    if (this.isDown) throw new BrokerError("connection refused");
    const broker = new FakeBroker(this);
    this.brokers.add(broker);
    return broker;
  }

  /** For those who open a connection by themselves. */
  readonly open: OpenBroker = () =>
    new Promise((resolve, reject) => {
      try {
        resolve(this.connect());
      } catch (error) {
        reject(error);
      }
    });

  /** Goes away, and takes every connection with it. */
  crash(): void {
    this.isDown = true;
    for (const broker of [...this.brokers]) broker.lose("connection lost");
  }

  /** Forgets everything: its streams are other ones from now on. */
  wipe(): void {
    this.#entries = [];
    this.#last = 0;
    this.#lives += 1;
    this.#byName.clear();
    this.#lease = undefined;
    this.latest.clear();
  }

  /** Keeps the entries only that fit. */
  keep(fits: (entry: Stored) => boolean): void {
    this.#entries = this.#entries.filter(fits);
  }

  /** Loses the entries after this one, as servers do that had not all stored them; numbers go on there. */
  loseAfter(seq: number): void {
    this.#entries = this.#entries.filter((entry) => entry.seq <= seq);
    this.#last = seq;
  }

  store(text: string, { as, id, fence }: AppendOptions): Appended {
    if (this.refuses !== undefined) throw new BrokerError(this.refuses);
    const before = this.#byName.get(id);
    if (before !== undefined) return { kind: "stored", seq: before };
    if (text.length > this.maxBytes) return { kind: "too_large", maxBytes: this.maxBytes };
    const newest = this.newestOfLeaders?.seq ?? 0;
    if (fence !== undefined && fence !== newest && !this.isLax) return { kind: "fenced" };
    const entry: Kept = { seq: ++this.#last, text, as };
    this.#byName.set(id, entry.seq);
    this.#entries.push(entry);
    for (const broker of this.brokers) broker.hand(entry);
    return { kind: "stored", seq: entry.seq };
  }

  takeLease(holder: string): number | undefined {
    if (this.isLeaseGone) throw new BrokerError("the lease's bucket is gone");
    const held = this.holder;
    if (held !== undefined && held !== holder) return undefined;
    return this.#grant(holder);
  }

  renewLease(term: number): number | undefined {
    if (this.isLeaseGone) throw new BrokerError("the lease's bucket is gone");
    const { holder } = this;
    if (holder === undefined || this.#lease?.term !== term) return undefined;
    return this.#grant(holder);
  }

  releaseLease(term: number): void {
    if (this.#lease?.term !== term) return;
    this.#lease = undefined;
    for (const broker of this.brokers) broker.tellFreed();
  }

  #grant(holder: string): number {
    const term = ++this.#terms;
    this.#lease = { holder, term, until: this.clock.now() + this.leaseMs };
    return term;
  }
}
