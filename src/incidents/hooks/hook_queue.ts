import { Backoff } from "../../resilience/backoff.ts";
import type { Clock } from "../../resilience/clock.ts";
import { FailureLog } from "../../telemetry/failure_log.ts";
import { logOf } from "../../telemetry/log.ts";
import type { CallEnd, HookRequest } from "./hook_call.ts";
import { onAbort } from "../../resilience/on_abort.ts";

/** A message that waits to be told, as kept for another life of the hub; plain JSON. */
export interface HookMessage extends HookRequest {
  /** Orders the messages of a hook. */
  readonly key: string;
  /** Unix milliseconds. */
  readonly createdMs: number;
}

/**
 * Messages that wait for one hook. When full, the oldest is dropped, which is counted and said: what
 * is newer says more of how things stand.
 */
export const MAX_WAITING = 1000;

/** A message is tried for this long, in milliseconds; then it is dropped. */
export const TRY_FOR_MS = 24 * 3_600_000;

/** Between two attempts: twice as long each time, with jitter. */
const RETRY = { minMs: 5000, maxMs: 3_600_000, jitter: 0.2 } as const;

export interface HookQueueOptions {
  hook: string;
  clock: Clock;
  /** Calls the hook once. Throws nothing but the signal's reason. */
  call: (message: HookRequest, signal: AbortSignal) => Promise<CallEnd>;
  /** A message waits from now on. */
  onAdded?: (message: HookMessage) => void;
  /** It does not any more. */
  onRemoved?: (message: HookMessage) => void;
}

/** What `/status` says of a hook. */
export interface HookReport {
  readonly waiting: number;
  readonly delivered: number;
  readonly failures: number;
  readonly dropped: number;
  /** Why the last attempt failed; null if it did not. */
  readonly last_error: string | null;
}

/** Tells one hook its messages, in order, each until it was taken or is too old. */
export class HookQueue {
  readonly #options: HookQueueOptions;
  readonly #waiting: HookMessage[] = [];
  readonly #trouble = new FailureLog({
    room: "incidents",
    events: {
      begins: "hook.failed",
      again: "hook.failed_again",
      goesOn: "hook.still_failing",
      ends: "hook.recovered",
    },
    times: "attempts",
  });
  #arrived = Promise.withResolvers<void>();
  #count = 0;
  #delivered = 0;
  #failures = 0;
  #dropped = 0;
  #lastError: string | null = null;

  constructor(options: HookQueueOptions) {
    this.#options = options;
  }

  /** Puts back what waited in an earlier life of the hub; call it first. */
  restore(messages: readonly HookMessage[]): void {
    this.#waiting.push(...messages);
    this.#arrived.resolve();
  }

  add(body: string): void {
    const createdMs = this.#options.clock.unixMs();
    this.#count += 1;
    const order = `${String(Math.floor(createdMs)).padStart(15, "0")}-${
      String(this.#count).padStart(9, "0")
    }`;
    const message = { id: `msg_${crypto.randomUUID()}`, key: order, body, createdMs };
    this.#waiting.push(message);
    this.#options.onAdded?.(message);
    if (this.#waiting.length > MAX_WAITING) {
      // Not the first: that one may be under way.
      this.#drop(this.#waiting[1], `over ${MAX_WAITING} wait`);
    }
    this.#arrived.resolve();
  }

  report(): HookReport {
    return {
      waiting: this.#waiting.length,
      delivered: this.#delivered,
      failures: this.#failures,
      dropped: this.#dropped,
      last_error: this.#lastError,
    };
  }

  /** All that waits. */
  waiting(): readonly HookMessage[] {
    return this.#waiting;
  }

  /** Tells what waits and what comes, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    using _stop = onAbort(signal, () => aborted.resolve());
    while (!signal.aborted) {
      const [first] = this.#waiting;
      if (first !== undefined) {
        await this.#tell(first, signal).catch(() => {}); // aborted
        continue;
      }
      this.#arrived = Promise.withResolvers();
      await Promise.race([this.#arrived.promise, aborted.promise]);
    }
  }

  async #tell(message: HookMessage, signal: AbortSignal): Promise<void> {
    const { clock, hook, call } = this.#options;
    for (let backoff = new Backoff(RETRY);; backoff = backoff.next()) {
      if (clock.unixMs() - message.createdMs > TRY_FOR_MS) {
        return this.#drop(message, "it was tried for a day");
      }
      const end = await call(message, signal);
      if (end.ok) {
        this.#delivered += 1;
        this.#lastError = null;
        this.#trouble.ended(clock.now(), { hook });
        return this.#remove(message);
      }
      this.#failures += 1;
      this.#lastError = end.why;
      this.#trouble.failed(clock.now(), { hook, why: end.why, waiting: this.#waiting.length });
      await clock.sleep(backoff.waitMs(), { signal });
    }
  }

  #drop(message: HookMessage | undefined, why: string): void {
    if (message === undefined) return;
    this.#dropped += 1;
    logOf("incidents").warning("hook.dropped", { hook: this.#options.hook, why });
    this.#remove(message);
  }

  #remove(message: HookMessage): void {
    const at = this.#waiting.indexOf(message);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#options.onRemoved?.(message);
  }
}
