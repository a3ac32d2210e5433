import type { Chance } from "../support/seed.ts";
import { RawClient } from "../support/raw_client.ts";
import { within } from "../support/until.ts";
import { framesOf, Journal } from "./journal.ts";
import { sleep } from "./storm_backend.ts";

export interface RawClientsOptions {
  /** The hub's WebSocket address, token included. */
  url: string;
  chance: Chance;
  /** Whether the others were told that this client was lost, by its id. */
  isLost: (id: string) => boolean;
  /** What the hub has to say of it, for errors. */
  storyOf: (id: string) => string;
}

/** How long a client that never reads may take to be dropped, in milliseconds. */
const PATIENCE_MS = 20_000;

/** Clients on bare TCP that vanish with a reset, or take nothing until they were dropped. */
export class RawClients {
  /** Ids of those that vanished. */
  readonly reset: string[] = [];
  /** Ids of those that took nothing, and what they read once they had been dropped. */
  readonly stalled = new Map<string, Journal>();
  readonly #options: RawClientsOptions;

  constructor(options: RawClientsOptions) {
    this.#options = options;
  }

  /** One after the other until aborted. */
  async come(signal: AbortSignal): Promise<void> {
    const { chance } = this.#options;
    while (!signal.aborted) {
      await sleep(chance.between(100, 1200), signal).catch(() => {});
      if (signal.aborted) return;
      if (chance.percent(60)) await this.#vanish();
      else await this.#stall();
    }
  }

  async #vanish(): Promise<void> {
    using client = await RawClient.connect(this.#options.url);
    const welcome = JSON.parse(await client.readText());
    this.reset.push(welcome.data.session);
    await client.reset();
  }

  async #stall(): Promise<void> {
    using client = await RawClient.connect(this.#options.url);
    const journal = new Journal();
    journal.add({ k: "open", batch: false });
    const welcome = framesOf(await client.readText(), Date.now());
    journal.add({ k: "told", frames: welcome });
    const id = welcome[0]?.data.session;
    this.stalled.set(id, journal);
    const begun = performance.now();
    while (!this.#options.isLost(id)) {
      if (performance.now() - begun > PATIENCE_MS) {
        const story = this.#options.storyOf(id);
        throw new Error(`nobody heard of one that read nothing for ${PATIENCE_MS} ms: ${story}`);
      }
      await sleep(20);
    }
    const reading = await within(client.readToEnd(), { explain: () => "no end of a dropped one" });
    const { texts, closeCode, end } = reading;
    for (const text of texts) {
      journal.add({ k: "told", frames: framesOf(text, Date.now()) });
    }
    const code = closeCode ?? 0;
    journal.add({ k: "end", end: { code, clean: closeCode !== undefined && end === "end" } });
  }
}
