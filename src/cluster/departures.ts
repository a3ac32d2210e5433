import type { Departure, SharedStream } from "../hub/shared_stream.ts";
import type { Clock } from "../resilience/clock.ts";
import { logOf } from "../telemetry/log.ts";
import type { Broker } from "./broker.ts";

/** On the first one departures are told one by one, as hubs of before this version know them. */
const TOPIC_OF_ONE = "departures";
const TOPIC_OF_MANY = "departures_of_many";

/** Departures are told together that come within this time, in milliseconds. */
const TOGETHER_MS = 20;

/** In one message; a hub that stops has thousands, and every hub hears each message. */
const MAX_TOGETHER = 500;

/** Tells the other hubs of clients that left this one, worth knowing should they come to them. */
export class Departures {
  readonly #clock: Clock;
  /** Told at the latest when there are {@linkcode MAX_TOGETHER} of them. */
  #waiting: Departure[] = [];
  #isSleeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tells of one, soon; at once, and by itself, while hubs of before this version listen. */
  tell(broker: Broker, departure: Departure, { isOldThere }: { isOldThere: boolean }): void {
    if (isOldThere) return broker.say(TOPIC_OF_ONE, JSON.stringify(departure));
    this.#waiting.push(departure);
    if (this.#waiting.length >= MAX_TOGETHER) this.flush(broker);
    else void this.#soon(broker);
  }

  /** Tells at once of those that wait: the hub leaves. */
  flush(broker: Broker): void {
    if (this.#waiting.length === 0) return;
    broker.say(TOPIC_OF_MANY, JSON.stringify(this.#waiting));
    this.#waiting = [];
  }

  /** Learns of clients that left the other hubs. */
  learn(broker: Broker, stream: SharedStream): void {
    const learn = (text: string) => {
      try {
        for (const departure of [JSON.parse(text)].flat()) stream.learn(departure);
      } catch (error) {
        logOf("cluster").debug("cluster.departure_not_understood", { why: String(error) });
      }
    };
    broker.listen(TOPIC_OF_ONE, learn);
    broker.listen(TOPIC_OF_MANY, learn);
  }

  async #soon(broker: Broker): Promise<void> {
    if (this.#isSleeping) return;
    this.#isSleeping = true;
    await this.#clock.sleep(TOGETHER_MS, { signal: broker.lost }).catch(() => {});
    this.#isSleeping = false;
    if (broker.lost.aborted) this.#waiting = []; // nobody hears of them any more
    else this.flush(broker);
  }
}
