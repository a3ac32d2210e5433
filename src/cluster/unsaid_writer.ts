import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { Broker } from "./broker.ts";
import type { StreamPublisher } from "./stream_publisher.ts";
import { ClusterUnreachable } from "./unreachable.ts";
import type { Kept, Unsaid } from "./unsaid.ts";

export interface UnsaidWriterOptions {
  clock: Clock;
  unsaid: Unsaid;
  publisher: StreamPublisher;
  /** The epoch of the stream, as the hub knows it. */
  epoch: () => string;
}

/** Gaps are told at this distance at least, in milliseconds: one tells of all that were owed so far. */
const GAP_EVERY_MS = 5000;

/** Hubs that found the same wait up to this long, each at random: one of them tells of it for all. */
const GAP_SPREAD_MS = 1000;

/** Pause before something is offered to the stream again, in milliseconds. */
const RETRY_MS = 500;

/**
 * Writes what a hub took while alone into the stream once it is back, under names by which each is
 * stored once; what can never be said is told as a gap to the clients of all hubs.
 */
export class UnsaidWriter {
  readonly #options: UnsaidWriterOptions;
  readonly #log: Log = logOf("cluster");
  /** Gaps that were to be told, and how many of them were. */
  #gapsOwed = 0;
  #gapsTold = 0;
  /** In monotonic milliseconds. */
  #gapTellableAt = -Infinity;

  constructor(options: UnsaidWriterOptions) {
    this.#options = options;
  }

  /** Writes all there is, until the broker is lost. */
  async write(broker: Broker): Promise<void> {
    const { unsaid } = this.#options;
    const entries = unsaid.size;
    // What was written and did not come back before the broker was lost is written again.
    for (const kept of unsaid.all()) await this.#untilDone(broker, () => this.#say(broker, kept));
    const { lost } = unsaid;
    if (lost > 0) this.oweGap();
    await this.#tellGap(broker);
    if (lost > 0 && !broker.lost.aborted) unsaid.lossTold();
    if (entries + lost > 0 && !broker.lost.aborted) {
      this.#log.info("cluster.unsaid_written", { entries, lost });
    }
  }

  /** The clients of all hubs are to be told of a gap once the next broker was joined. */
  oweGap(): void {
    this.#gapsOwed += 1;
  }

  /** A gap came through the stream: whatever was owed so far, this hub's clients and all others know. */
  heardGap(): void {
    this.#gapsTold = this.#gapsOwed;
  }

  async #tellGap(broker: Broker): Promise<void> {
    const { clock, publisher, epoch } = this.#options;
    if (this.#gapsTold === this.#gapsOwed) return;
    const pauseMs = this.#gapTellableAt - clock.now();
    const spreadMs = Math.random() * GAP_SPREAD_MS;
    await clock.sleep(Math.max(pauseMs, spreadMs), { signal: broker.lost }).catch(() => {});
    await this.#untilDone(broker, async () => {
      const owed = this.#gapsOwed;
      if (owed === this.#gapsTold) return;
      await publisher.tellGap(broker, epoch());
      this.#gapsTold = owed;
      this.#gapTellableAt = clock.now() + GAP_EVERY_MS;
    });
  }

  async #say(broker: Broker, { id, draft }: Kept): Promise<void> {
    const { unsaid, publisher, epoch } = this.#options;
    if (!unsaid.has(id)) return; // it came back
    try {
      await publisher.publish(broker, draft, { epoch: epoch(), said: id });
    } catch (error) {
      if (!(error instanceof ClusterUnreachable && error.isTooLarge)) throw error;
      unsaid.giveUp(id);
    }
  }

  async #untilDone(broker: Broker, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#options;
    while (!broker.lost.aborted) {
      try {
        return await work();
      } catch {
        await clock.sleep(RETRY_MS, { signal: broker.lost }).catch(() => {});
      }
    }
  }
}
