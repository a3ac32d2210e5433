import { logOf } from "../telemetry/log.ts";
import type { LatestValues } from "./broker.ts";

/**
 * Keeps the last good values beside the stream, for hubs that join later. One channel after the
 * other; of values that wait only the newest of a channel, so there are never more than channels.
 */
export class LatestKeeper {
  readonly #waiting = new Map<string, { readonly seq: number; readonly text: string }>();
  #isWriting = false;

  /** Keeps a value, soon. */
  keep(latest: LatestValues, channel: string, value: { seq: number; text: string }): void {
    this.#waiting.set(channel, value);
    void this.#write(latest);
  }

  async #write(latest: LatestValues): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    for (const [channel, { seq, text }] of this.#waiting) {
      this.#waiting.delete(channel);
      try {
        await latest.put(channel, seq, text);
      } catch (error) {
        // The stream has it, and the next value will be kept again.
        logOf("cluster").debug("cluster.value_not_kept", { channel, why: String(error) });
      }
    }
    this.#isWriting = false;
  }
}
