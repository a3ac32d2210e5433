import type { Batch } from "./messages.ts";

/** What takes messages for another thread. */
export interface Postable {
  postMessage(message: unknown): void;
}

/** A message's own weight, in characters, beside its text. */
const MESSAGE_WEIGHT = 100;

/**
 * Sends messages to another thread, in order. What is said in one turn crosses together: a crossing
 * costs some microseconds, however much it carries.
 */
export class MessageWriter<Message> {
  readonly #port: Postable;
  #waiting: Message[] = [];
  #weight = 0;
  #sent = 0;

  constructor(port: Postable) {
    this.#port = port;
  }

  /** Weight of all that was sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** @param chars Length of the texts in it. */
  post(message: Message, chars = 0): void {
    this.#waiting.push(message);
    this.#weight += MESSAGE_WEIGHT + chars;
    if (this.#waiting.length === 1) queueMicrotask(() => this.flush());
  }

  /** Sends what waits at once. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const batch: Batch<Message> = { messages: this.#waiting, weight: this.#weight };
    this.#sent += this.#weight;
    this.#waiting = [];
    this.#weight = 0;
    this.#port.postMessage(batch);
  }
}
