import type { Clock } from "../../resilience/clock.ts";
import { isAnswer, isDeleted, whyOf } from "./errors.ts";

/** What of the broker is asked; each can fail while the others work. */
export type BrokerPart = "stream" | "lease" | "latest";

/** A part that has failed at everything for this long, in milliseconds, is lost. */
export const GIVE_UP_AFTER_MS = 4000;

export interface BrokerHealthOptions {
  clock: Clock;
  /** The broker is of no use any more. */
  lose: (why: string) => void;
}

/**
 * Watches whether the broker does what it is asked to. A refusal is a failure like silence: whether the
 * disk is full, the stream takes no more or somebody deleted it, the hub has to do without. Only that
 * somebody else was first is an answer. The kept values alone are nothing anybody waits for.
 */
export class BrokerHealth {
  readonly #options: BrokerHealthOptions;
  readonly #failingSince = new Map<BrokerPart, number>();

  constructor(options: BrokerHealthOptions) {
    this.#options = options;
  }

  answered(part: BrokerPart): void {
    this.#failingSince.delete(part);
  }

  failed(part: BrokerPart, error: unknown): void {
    if (isAnswer(error)) return this.answered(part);
    if (part === "latest") return;
    const { clock, lose } = this.#options;
    const since = this.#failingSince.get(part) ?? clock.now();
    this.#failingSince.set(part, since);
    // What was deleted is made again when the broker is opened anew.
    if (isDeleted(error)) return lose(`${NAMES[part]} is gone`);
    if (clock.now() - since < GIVE_UP_AFTER_MS) return;
    lose(`${NAMES[part]} does not serve this hub: ${whyOf(error)}`);
  }
}

const NAMES = { stream: "the stream", lease: "the lease's bucket" } as const;
