import { OngoingFailure } from "./ongoing_failure.ts";
import { type Log, type LogFields, logOf } from "./log.ts";

export interface FailureLogOptions {
  /** The room whose log it is. */
  room: string;
  /** Names of the events: these never change lightly. */
  events: {
    /** It begins; a warning. */
    readonly begins: string;
    /** It happens again; for debugging only. */
    readonly again: string;
    /** A reminder that it goes on; a warning. */
    readonly goesOn: string;
    /** It is over. */
    readonly ends: string;
  };
  /** The field that says how often it happened. */
  times: string;
}

/**
 * Logs a failure that lasts: a line when it begins, a line when it ends, and reminders in between
 * that grow rarer. All repeats are counted, and there to be seen at level debug.
 */
export class FailureLog {
  readonly #log: Log;
  readonly #options: FailureLogOptions;
  readonly #trouble = new OngoingFailure();

  constructor(options: FailureLogOptions) {
    this.#options = options;
    this.#log = logOf(options.room);
  }

  /**
   * It failed, once more or for the first time.
   *
   * @param now Monotonic milliseconds, here and below.
   */
  failed(now: number, fields: LogFields): void {
    const { events, times } = this.#options;
    const repeat = this.#trouble.failed(now);
    switch (repeat.kind) {
      case "first":
        this.#log.warning(events.begins, fields);
        return;
      case "again":
        this.#log.debug(events.again, { ...fields, [times]: repeat.times });
        return;
      case "reminder": {
        const duration_ms = Math.round(repeat.lastedMs);
        this.#log.warning(events.goesOn, { ...fields, [times]: repeat.times, duration_ms });
      }
    }
  }

  /** It works; says nothing if it did all the time. */
  ended(now: number, fields: LogFields): void {
    const ended = this.#trouble.ended(now);
    if (ended === undefined) return;
    const { events, times } = this.#options;
    const duration_ms = Math.round(ended.lastedMs);
    this.#log.info(events.ends, { ...fields, [times]: ended.times, duration_ms });
  }
}
