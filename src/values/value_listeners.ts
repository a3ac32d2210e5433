import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Feeder } from "./channel_settings.ts";

/** A channel's value stands otherwise than before. */
export interface StandingChange {
  readonly channel: string;
  readonly standing:
    /** What its backend or publisher would say now, as far as the hub can tell. */
    | "fresh"
    /** It may not be; or there is none, though it was tried to get one. */
    | "stale"
    /** Nothing feeds the channel any more: this is its last word. */
    | "retired";
  readonly cause:
    /** A value came. */
    | "value"
    /** It was put in doubt, or trusted again. */
    | "doubt"
    /** Time alone made the change: clients have to be told. */
    | "time"
    /** The configuration changed. */
    | "settings";
  readonly feeder: Feeder;
  /** As it now stands; undefined for a channel that has had no value. */
  readonly status: StatusData<JsonText> | undefined;
  /** Why it is not fresh, in a sentence. */
  readonly why?: string;
}

/** Hears of values. What it throws does not reach the writer of the value. */
export interface ValueListener {
  /** A channel has another value, or the same one asked for anew. */
  onValue?(channel: string): void;
  onStanding?(change: StandingChange): void;
  /** Something may be otherwise about a channel, its reasons and settings included. */
  onLooked?(channel: string): void;
}

/** Everybody who hears of values; each is told whatever the others do. */
export class ValueListeners {
  readonly #all = new Set<ValueListener>();
  readonly #onFailed: (error: unknown) => void;

  constructor(onFailed: (error: unknown) => void = () => {}) {
    this.#onFailed = onFailed;
  }

  add(listener: ValueListener): Disposable {
    this.#all.add(listener);
    return { [Symbol.dispose]: () => void this.#all.delete(listener) };
  }

  tellValue(channel: string): void {
    this.#each((listener) => listener.onValue?.(channel));
  }

  tellLooked(channel: string): void {
    this.#each((listener) => listener.onLooked?.(channel));
  }

  tellStanding(change: StandingChange): void {
    this.#each((listener) => listener.onStanding?.(change));
  }

  #each(tell: (listener: ValueListener) => void): void {
    for (const listener of [...this.#all]) {
      try {
        tell(listener);
      } catch (error) {
        this.#onFailed(error);
      }
    }
  }
}
