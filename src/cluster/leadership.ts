import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { type Broker, BrokerError } from "./broker.ts";
import { decodeEntry, encodeEntry } from "./entry.ts";
import { onAbort } from "../resilience/on_abort.ts";

/** What a hub knows when it wants to lead. */
export interface Ambition {
  /**
   * The epoch to lead in, given the one the last leader led in: the same if that can be gone on
   * with, undefined for a new one.
   */
  epochAfter: (last: string | undefined) => string | undefined;
  /**
   * Number of the last leaders' entry that counts; undefined for none, or if this hub has not read up
   * to this entry.
   */
  lastOfLeaders: (upTo: number) => number | undefined;
}

/** A claim that stands in the stream. */
export interface Claimed {
  readonly term: number;
  readonly epoch: string;
  /** Number of the claim itself. */
  readonly seq: number;
}

export interface LeadershipOptions extends Ambition {
  clock: Clock;
  hub: string;
  /** How long a lease lasts that is not renewed, in milliseconds. */
  leaseMs: number;
  /** The claim stands: what it says goes from now on. */
  onClaimed: (claimed: Claimed) => void;
  /** The lease was renewed. */
  onKept: () => void;
  /** Another hub leads, or may. */
  onDeposed: (why: string) => void;
}

/** Lease times in which it is renewed: two renewals may fail before it is lost. */
export const RENEWALS_PER_LEASE = 3;

/** How often a hub that does not lead tries to, in milliseconds. */
export const TRY_EVERY_MS = 1000;

/** Times a claim is tried against entries of the leader before, which may still be arriving. */
const MAX_CLAIMS = 5;

/**
 * The race to lead: whoever has the lease writes a claim into the stream, over the newest leader's
 * entry it has seen. From there on the stream itself keeps the leader before from writing, whether
 * or not that one knows yet that it has lost the lease.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #log: Log = logOf("cluster");
  /** Until when the lease is surely held, in monotonic milliseconds. */
  #heldUntil = -Infinity;
  #isLeading = false;
  #hasResigned = false;
  /** Until then it lets others lead, in monotonic milliseconds. */
  #asideUntil = -Infinity;
  #wake: AbortController | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Whether the lease is surely held at this moment, by this machine's own clock. */
  get isHeld(): boolean {
    return this.#options.clock.now() < this.#heldUntil;
  }

  /** Tries once; true if this hub leads now. */
  async tryNow(broker: Broker): Promise<boolean> {
    if (this.#letsOthers) return false;
    const { clock, hub, leaseMs, onClaimed } = this.#options;
    const askedAt = clock.now();
    const term = await broker.lease.take(hub);
    if (term === undefined) return false;
    this.#heldUntil = askedAt + leaseMs;
    const claimed = await this.#claim(broker, term);
    // Asked to meanwhile, it lets others lead after all.
    if (claimed === undefined || this.#letsOthers) {
      await this.#giveUp(broker);
      return false;
    }
    this.#isLeading = true;
    this.#log.info("cluster.claimed", { term, epoch: claimed.epoch, seq: claimed.seq });
    onClaimed(claimed);
    return true;
  }

  /** Keeps the lease, or tries to get it, until the connection is lost. */
  async run(broker: Broker): Promise<void> {
    const { clock, leaseMs } = this.#options;
    // Not waited for: it needs more of the broker than the lease does.
    void broker.onLeaseFreed(() => this.#wake?.abort()).catch((error) => {
      // Then a freed lease is found a little later.
      this.#log.warning("cluster.lease_not_watched", { why: String(error) });
    });
    while (!broker.lost.aborted) {
      await this.#pause(this.#isLeading ? leaseMs / RENEWALS_PER_LEASE : TRY_EVERY_MS, broker.lost);
      if (broker.lost.aborted) break;
      try {
        if (this.#isLeading) await this.#keep(broker, clock.now());
        else await this.tryNow(broker);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        this.#log.debug("cluster.lease_unanswered", { why: error.message });
        if (this.#isLeading && !this.isHeld) this.depose("the lease ran out unrenewed");
      }
    }
    this.#heldUntil = -Infinity;
    this.#isLeading = false;
  }

  /** This hub leads no more; its lease may be another's already. */
  depose(why: string): void {
    this.#heldUntil = -Infinity;
    if (!this.#isLeading) return;
    this.#isLeading = false;
    this.#options.onDeposed(why);
  }

  /** Never takes the lease again, whatever broker comes. */
  retire(): void {
    this.#hasResigned = true;
  }

  /** Lets others lead for so long, in milliseconds; 0: not any more. */
  standAside(forMs: number): void {
    this.#asideUntil = this.#options.clock.now() + forMs;
  }

  /** Gives the lease back, for another hub to take at once. */
  async letGo(broker: Broker): Promise<void> {
    this.#isLeading = false;
    await this.#giveUp(broker).catch(() => {}); // then the lease runs out by itself
  }

  get #letsOthers(): boolean {
    return this.#hasResigned || this.#options.clock.now() < this.#asideUntil;
  }

  async #keep(broker: Broker, askedAt: number): Promise<void> {
    if (!await broker.lease.renew()) return this.depose("another hub took the lease");
    this.#heldUntil = askedAt + this.#options.leaseMs;
    this.#options.onKept();
  }

  async #claim(broker: Broker, term: number): Promise<Claimed | undefined> {
    const { hub, epochAfter, lastOfLeaders } = this.#options;
    for (let tries = 0; tries < MAX_CLAIMS; tries++) {
      const newest = await broker.newestOfLeaders();
      const last = newest && decodeEntry(newest.text);
      // Read first, asked second: a claim made between the two is in the way of ours.
      if (!await broker.lease.renew()) return undefined;
      const epoch = epochAfter(last?.epoch) ?? crypto.randomUUID();
      const fence = newest?.seq ?? 0;
      // The newest may be one that does not count, or what readers know of be kept no longer: they
      // can tell. Who has not read so far takes the newest for one that counts.
      const after = lastOfLeaders(fence) ?? fence;
      const claim = encodeEntry({ kind: "claim", epoch, term, after, hub });
      const appended = await broker.append(claim, {
        as: "leader",
        id: crypto.randomUUID(),
        fence,
      });
      if (appended.kind === "stored") return { term, epoch, seq: appended.seq };
    }
    return undefined;
  }

  async #giveUp(broker: Broker): Promise<void> {
    this.#heldUntil = -Infinity;
    await broker.lease.release();
  }

  /** Sleeps, at most until the lease is given back by somebody or the connection is lost. */
  async #pause(ms: number, lost: AbortSignal): Promise<void> {
    const wake = new AbortController();
    this.#wake = wake;
    using _lost = onAbort(lost, () => wake.abort());
    try {
      await this.#options.clock.sleep(ms, { signal: wake.signal });
    } catch {
      /* woken */
    }
  }
}
