import { type Clock, systemClock } from "../resilience/clock.ts";
import { OngoingFailure } from "../telemetry/ongoing_failure.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { describeThrown, type Thrown } from "./thrown.ts";

/** How it came: a promise that nobody held was rejected, or a callback that nobody called threw. */
type UncaughtKind = "rejection" | "error";

export interface UncaughtErrorsOptions {
  /** Default: the machine's own. */
  clock?: Clock;
  /** Where uncaught errors are reported. Default: the runtime. */
  target?: EventTarget;
}

/**
 * Uncaught errors told apart at a time. When full, one that was not seen for an hour makes room; if there is
 * none, a new one is folded together with all others that found no place.
 */
const MAX_KNOWN = 32;
const FORGET_AFTER_MS = 60 * 60_000;

/** The place of those that found none of their own. */
const OTHERS = "others";

type Preventable = Pick<Event, "defaultPrevented" | "preventDefault">;

interface KnownError {
  readonly trouble: OngoingFailure;
  /** Monotonic milliseconds. */
  seenAt: number;
}

/**
 * Keeps an error that nobody caught from ending the process, until disposed of, and logs and counts
 * it instead. The runtime would end the process and with it every client's connection, untold, for
 * what mostly is one call's trouble: a library whose promise nobody holds when a peer goes away.
 *
 * A rejection that nobody handles has stopped one piece of work and unwound nothing else. An
 * exception out of a callback is no worse, so it is held back too: on this runtime the two are told
 * apart by who called (a timer's and a socket's come as an error, a signal's as a rejection), and a
 * socket's error that nobody listens to is the same trouble in the other form. What the work has
 * left half done stays so, and for that the line in the log is a fault to report. Where it leaves
 * the hub stuck, without a heartbeat or with a door that does not answer, the watchdog
 * (`watchdog.ts`) is not fed any more and the service manager restarts the hub. Not held back is
 * what leaves nothing to go on with, such as memory that is used up: the runtime tells nobody.
 *
 * A mishap is a line at level error when it is new, reminders that grow rarer, and a line at level
 * debug for each repeat. What comes from the same place is the same one, whatever its words.
 *
 * @example
 * ```ts
 * using mishaps = new UncaughtErrors();
 * ```
 */
export class UncaughtErrors implements Disposable {
  readonly #log: Log = logOf("service");
  readonly #clock: Clock;
  readonly #target: EventTarget;
  /** By what they have in common, those not seen for longest first. */
  readonly #known = new Map<string, KnownError>();
  readonly #onRejection: EventListener = (event) =>
    this.#take("rejection", event, "reason" in event ? event.reason : undefined);
  readonly #onError: EventListener = (event) =>
    this.#take("error", event, "error" in event ? event.error : undefined);
  #count = 0;

  constructor(options: UncaughtErrorsOptions = {}) {
    const { clock = systemClock, target = globalThis } = options;
    this.#clock = clock;
    this.#target = target;
    target.addEventListener("unhandledrejection", this.#onRejection);
    target.addEventListener("error", this.#onError);
  }

  /** How many there were, repeats included. */
  get count(): number {
    return this.#count;
  }

  [Symbol.dispose](): void {
    this.#target.removeEventListener("unhandledrejection", this.#onRejection);
    this.#target.removeEventListener("error", this.#onError);
  }

  #take(kind: UncaughtKind, event: Preventable, thrown: unknown): void {
    if (event.defaultPrevented) return; // somebody knows it, and what to do about it
    event.preventDefault();
    this.#count += 1;
    this.#tell(kind, describeThrown(thrown));
  }

  #tell(kind: UncaughtKind, { why, stack }: Thrown): void {
    const now = this.#clock.now();
    const repeat = this.#troubleOf(keyOf(kind, { why, stack }), now).failed(now);
    const fields = { kind, why, ...(stack.length > 0 ? { stack } : {}) };
    switch (repeat.kind) {
      case "first":
        this.#log.error("process.mishap", fields);
        return;
      case "again":
        this.#log.debug("process.mishap_again", { ...fields, times: repeat.times });
        return;
      case "reminder": {
        const duration_ms = Math.round(repeat.lastedMs);
        this.#log.error("process.mishap", { ...fields, times: repeat.times, duration_ms });
      }
    }
  }

  #troubleOf(wanted: string, now: number): OngoingFailure {
    const key = this.#known.has(wanted) || this.#makeRoom(now) ? wanted : OTHERS;
    const known = this.#known.get(key) ?? { trouble: new OngoingFailure(), seenAt: now };
    known.seenAt = now;
    this.#known.delete(key); // to the end
    this.#known.set(key, known);
    return known.trouble;
  }

  /** Whether there is room for one more. */
  #makeRoom(now: number): boolean {
    if (this.#known.size < MAX_KNOWN) return true;
    const [oldest] = this.#known;
    if (oldest === undefined || now - oldest[1].seenAt < FORGET_AFTER_MS) return false;
    return this.#known.delete(oldest[0]);
  }
}

/** What the same mishaps have in common: where they came from, or else their words but for numbers. */
function keyOf(kind: UncaughtKind, { why, stack }: Thrown): string {
  return [kind, ...(stack.length > 0 ? stack : [why.replace(/\d+/g, "#")])].join("\n");
}
