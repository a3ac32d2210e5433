import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { type Log, logOf } from "../telemetry/log.ts";

/**
 * Whether a part of the hub is alive. The signal is aborted when the answer would come too late;
 * an exception counts as a no.
 */
export type WatchdogCheck = (signal: AbortSignal) => boolean | Promise<boolean>;

export interface WatchdogOptions {
  /** How often to check and feed, in milliseconds: `feedEveryMs` of the notifier. */
  everyMs: number;
  /** By name, for the log. All must pass before the watchdog is fed. */
  checks: Readonly<Record<string, WatchdogCheck>>;
  /** Whom to tell that the service is alive. */
  notify: { watchdog(): void };
  clock: Clock;
  /** Ends the watch. */
  signal: AbortSignal;
}

/** One check's longest run, as a part of `everyMs`. */
const CHECK_PART = 1 / 3;

/**
 * Feeds the service manager's watchdog for as long as every check passes, so that a hung hub is
 * restarted. A hung event loop needs no check: it hangs this loop too. The first failure of a check
 * is logged with its reason, and so is its end.
 *
 * With a pace of a third of the manager's interval, two feeds are never further apart than 4/9 of
 * it (less than half, as systemd wants it), and a single failed check does not restart the hub.
 *
 * @returns A promise that resolves once the signal is aborted; it never rejects.
 * @throws {RangeError} If `everyMs` is not a positive number.
 */
export function startWatchdog(options: WatchdogOptions): Promise<void> {
  const { everyMs, checks, clock, signal } = options;
  const ticker = new Ticker(everyMs, { clock, signal });
  const rounds = Object.entries(checks).map(([name, check]) =>
    new CheckRound(name, check, { clock, signal, timeoutMs: everyMs * CHECK_PART })
  );
  return watch(ticker, rounds, options);
}

async function watch(
  ticker: Ticker,
  rounds: readonly CheckRound[],
  { notify, signal }: WatchdogOptions,
): Promise<void> {
  for await (const { skipped } of ticker) {
    if (skipped > 0) logOf("service").warning("watchdog.late", { skipped });
    const passed = await Promise.all(rounds.map((round) => round.run()));
    if (signal.aborted) return;
    if (passed.every(Boolean)) notify.watchdog();
  }
}

interface CheckRoundOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** One check, and how it went the last time. */
class CheckRound {
  readonly #log: Log = logOf("service");
  readonly #name: string;
  readonly #check: WatchdogCheck;
  readonly #options: CheckRoundOptions;
  #failedAt: number | undefined;
  /** Some run has not answered yet, and may never: no second one is begun beside it. */
  #isRunning = false;

  constructor(name: string, check: WatchdogCheck, options: CheckRoundOptions) {
    this.#name = name;
    this.#check = check;
    this.#options = options;
  }

  async run(): Promise<boolean> {
    const why = this.#isRunning ? "it hangs since an earlier check" : await this.#whyNot();
    if (!this.#options.signal.aborted) this.#report(why);
    return why === undefined;
  }

  /** Why the check does not pass; `undefined` if it does. */
  async #whyNot(): Promise<string | undefined> {
    const { clock, signal, timeoutMs } = this.#options;
    try {
      const asked = await withDeadline(clock, timeoutMs, (late) => this.#ask(late), { signal });
      return asked.isLate ? `no answer within ${Math.round(timeoutMs)} ms` : asked.value;
    } catch (error) {
      if (!signal.aborted) throw error;
      return "given up"; // the watch is over
    }
  }

  async #ask(signal: AbortSignal): Promise<string | undefined> {
    this.#isRunning = true;
    try {
      return await this.#check(signal) ? undefined : "it is not alive";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #report(why: string | undefined): void {
    const now = this.#options.clock.now();
    if (why !== undefined && this.#failedAt === undefined) {
      this.#failedAt = now;
      this.#log.error("watchdog.check_failed", {
        check: this.#name,
        why,
        effect: "the service manager will restart the hub unless this ends",
      });
    } else if (why === undefined && this.#failedAt !== undefined) {
      const failed_for_ms = Math.round(now - this.#failedAt);
      this.#failedAt = undefined;
      this.#log.info("watchdog.check_passed", { check: this.#name, failed_for_ms });
    }
  }
}
