import { Backoff } from "../resilience/backoff.ts";
import type { Clock } from "../resilience/clock.ts";
import { LinkedAbort } from "../resilience/linked_abort.ts";
import { onAbort } from "../resilience/on_abort.ts";
import { logOf } from "../telemetry/log.ts";
import { FailureLog } from "../telemetry/failure_log.ts";
import { type Broker, BrokerError, type OpenBroker } from "./broker.ts";
import { LeaderSilent } from "./leader_watch.ts";

export interface BrokerLinkOptions {
  clock: Clock;
  open: OpenBroker;
  /** Joins the stream over a new connection; throws {@linkcode BrokerError} if that fails. */
  join: (broker: Broker) => Promise<void>;
  /** Joined: the stream is followed from now on. */
  onJoined: (broker: Broker) => void;
  /** It could not be connected, or not joined. Default: nobody is told. */
  onFailed?: () => void;
  /** The connection was lost, this moment. */
  onLost: () => void;
  /** It has been away for {@linkcode NOTICE_AFTER_MS}: clients should know. */
  onMissed: (why: string) => void;
  /** It has been away for the grace time, or of no use: the hub has to do without. */
  onGivenUp: () => void;
  /** How long it is waited for before the hub does without, in milliseconds. */
  graceMs: number;
}

/** A connection that is back within this time, in milliseconds, was not worth a word. */
export const NOTICE_AFTER_MS = 1000;

/** Waits between attempts to connect, in milliseconds: the first soon, so that a server's death costs little. */
const RETRY = { minMs: 100, maxMs: 2000 } as const;

/**
 * The connection to the broker, for as long as the hub lives: opened again whenever it is lost,
 * and its absence told in two steps, so that a blink goes unnoticed and an outage does not.
 */
export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  #broker: Broker | undefined;
  #why = "not connected yet";
  readonly #failures = new FailureLog({
    room: "cluster",
    events: {
      begins: "cluster.unreachable",
      again: "cluster.unreachable_again",
      goesOn: "cluster.still_unreachable",
      ends: "cluster.reachable",
    },
    times: "attempts",
  });

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
  }

  /** The broker, while it is joined. */
  get broker(): Broker | undefined {
    return this.#broker;
  }

  /** Why there is no broker. */
  get why(): string {
    return this.#why;
  }

  /** Connects, and connects again, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let backoff = new Backoff(RETRY);
    let outageNotice = this.#watchAbsence(signal, 0);
    while (!signal.aborted) {
      const use = await this.#useOnce(signal, () => {
        outageNotice.abort();
        backoff = new Backoff(RETRY);
      });
      if (signal.aborted) break;
      if (use.wasJoined) outageNotice = this.#watchAbsence(signal, use.silentForMs);
      await clock.sleep(backoff.waitMs(), { signal }).catch(() => {});
      backoff = backoff.next();
    }
    outageNotice.abort();
  }

  /** Connects, joins and stays until the connection is lost, if it comes that far. */
  async #useOnce(signal: AbortSignal, onJoined: () => void): Promise<Use> {
    const { clock, open, join, onLost } = this.#options;
    try {
      await using broker = await open(signal);
      // A hub that stops waits for nothing any more.
      {
        using _stop = onAbort(
          signal,
          () => broker.giveUp(new BrokerError("this hub is stopping")),
        );
        await join(broker);
      }
      this.#failures.ended(clock.now(), {});
      this.#broker = broker;
      onJoined();
      this.#options.onJoined(broker);
      await eitherAborted(broker.lost, signal);
      this.#why = signal.aborted ? "this hub is stopping" : reasonOf(broker.lost);
      this.#broker = undefined;
      if (!signal.aborted) {
        this.#failures.failed(clock.now(), { why: this.#why });
        onLost();
      }
      const { reason } = broker.lost;
      return { wasJoined: true, silentForMs: reason instanceof LeaderSilent ? reason.forMs : 0 };
    } catch (error) {
      this.#broker = undefined;
      if (!(error instanceof BrokerError) && !signal.aborted) {
        logOf("cluster").error("cluster.join_failed", { why: String(error) });
      }
      this.#why = error instanceof Error ? error.message : String(error);
      this.#failures.failed(clock.now(), { why: this.#why });
      this.#options.onFailed?.();
      return { wasJoined: false };
    }
  }

  /**
   * Tells of an absence that lasts; aborted when it is over.
   *
   * @param awayMs How long it has lasted before anybody could know of it.
   */
  #watchAbsence(stop: AbortSignal, awayMs: number): LinkedAbort {
    const { clock, graceMs, onMissed, onGivenUp } = this.#options;
    const over = new LinkedAbort([stop]);
    const { signal } = over;
    const noticeAfterMs = Math.min(NOTICE_AFTER_MS, graceMs);
    void (async () => {
      using _link = over;
      try {
        await clock.sleep(Math.max(0, noticeAfterMs - awayMs), { signal });
        onMissed(this.#why);
        await clock.sleep(Math.max(0, graceMs - Math.max(noticeAfterMs, awayMs)), { signal });
        onGivenUp();
      } catch { /* it is back, or the hub stops */ }
    })();
    return over;
  }
}

type Use =
  | { readonly wasJoined: false }
  /** For so long it had been of no use before it was given up, in milliseconds. */
  | { readonly wasJoined: true; readonly silentForMs: number };

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** Resolves when one of the two is aborted. */
async function eitherAborted(a: AbortSignal, b: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _a = onAbort(a, resolve);
  using _b = onAbort(b, resolve);
  await promise;
}
