import { sleep } from "./storm_backend.ts";

/** Publishes numbered notifications, one after the other. */
export class Publisher {
  /** Sequence number of each, by its number. */
  readonly published = new Map<number, number>();
  readonly #url: string;
  readonly #headers: HeadersInit;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  }

  /** @throws If the hub does not take it. */
  async publish(): Promise<void> {
    const number = this.published.size + 1;
    const data = { title: `notification ${number}`, number };
    const answer = await fetch(`${this.#url}/publish`, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify({ channel: "notification", data }),
    });
    const { seq } = await answer.json();
    if (answer.status !== 202) throw new Error(`publishing was answered with ${answer.status}`);
    this.published.set(number, seq);
  }

  /** Publishes at this pace until aborted. */
  async run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.publish();
      await sleep(everyMs, signal).catch(() => {});
    }
  }
}
