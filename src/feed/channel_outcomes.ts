import type { JsonText } from "../protocol/codec.ts";
import { type ErrorCode, errorEvent } from "../protocol/error_event.ts";
import type { Clock, Moment } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { FailureLog } from "../telemetry/failure_log.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Audience } from "./audience.ts";

/** The channel of which outcomes are told. */
export interface ChannelOutcomesOf {
  readonly channel: string;
  readonly backend: string;
  readonly method: string;
  /** What is done, as clients are told when it fails: `polling`, before the channel's name. */
  readonly doing: string;
  readonly events: FailureEvents;
}

/** Names of the log's events. */
export interface FailureEvents {
  readonly begins: string;
  readonly again: string;
  readonly goesOn: string;
  readonly ends: string;
}

export interface OutcomesOptions {
  clock: Clock;
  audience: Audience;
  values: ValueStore;
}

/**
 * What the outcomes of a source mean for one channel, polled or streamed: for the store of values,
 * for clients and for the log.
 */
export class ChannelOutcomes {
  readonly #source: ChannelOutcomesOf;
  readonly #options: OutcomesOptions;
  readonly #log: Log = logOf("feed");
  readonly #failures: FailureLog;

  constructor(source: ChannelOutcomesOf, options: OutcomesOptions) {
    this.#source = source;
    this.#options = options;
    this.#failures = new FailureLog({ room: "feed", events: source.events, times: "failures" });
  }

  /** A value; whether it was kept. */
  value(text: JsonText, { calledAt }: { calledAt: Moment }): boolean {
    const { values, clock } = this.#options;
    const { channel, backend } = this.#source;
    const isKept = values.put(channel, { text, calledAt, origin: "poll" }) !== "too_large";
    if (isKept) this.#failures.ended(clock.now(), { channel, backend });
    else this.unencodable(values.whyTooLarge(text) ?? "it is too large");
    return isKept;
  }

  /** A value that cannot be sent: its channel keeps the last good one. */
  unencodable(why: string): void {
    const { channel } = this.#source;
    const reason = `the newest value could not be encoded: ${why}`;
    this.#options.values.doubt(channel, reason, { keepsReason: true });
    this.#tell("JSON_MARSHAL_ERROR", `a value of "${channel}" could not be encoded`, why);
  }

  failure(outcome: "unavailable" | "rejected" | "broken", why: string): void {
    const { channel, backend, method, doing } = this.#source;
    this.#options.values.doubt(channel, why);
    this.#tell("RPC_FAILURE", `${doing} "${channel}" from backend "${backend}" failed`, why, {
      method,
      outcome,
    });
  }

  /** It was this program that broke: for clients that is one more way of giving no value. */
  broken(what: string, error: unknown): void {
    const why = `${what} broke: ${error instanceof Error ? error.message : String(error)}`;
    try {
      this.failure("broken", why);
      this.show();
    } catch (error) { // a listener may be what is broken
      this.#log.error("poll.not_told", { channel: this.#source.channel, why: String(error) });
    }
  }

  /** Sends the last good value as it stands now, if there is one. */
  show(): void {
    const { audience, values } = this.#options;
    const { channel } = this.#source;
    const status = values.read(channel);
    if (status) audience.value(channel, status);
  }

  #tell(code: ErrorCode, message: string, details: string, data: object = {}): void {
    const { audience, clock } = this.#options;
    const { channel, backend } = this.#source;
    const timestamp = clock.unixSeconds();
    audience.error(
      errorEvent(code, message, { timestamp, details, data: { channel, backend, ...data } }),
    );
    this.#failures.failed(clock.now(), { channel, backend, code, why: details });
  }
}
