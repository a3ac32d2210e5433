import { FrameCheck, type FrameCheckOptions } from "../chaos/frame_check.ts";
import type { ResumePoint } from "../chaos/journal.ts";
import { sleep } from "../chaos/storm_backend.ts";
import { RawClient } from "../support/raw_client.ts";
import type { Chance } from "../support/seed.ts";
import { within } from "../support/until.ts";

export interface GuestOptions extends FrameCheckOptions {
  /** Where it listens to everything small. */
  url: string;
  /** Where it listens to large values as well, when it is to be dropped for taking none. */
  largeUrl: string;
  chance: Chance;
}

/** How a guest's connections ended, by their way. */
export interface GuestCounts {
  left: number;
  vanished: number;
  dropped: number;
  resumed: number;
}

/** Longest stay and longest absence, in milliseconds. */
const STAY_MS = 60_000;
const AWAY_MS = 5000;
/** How a goodbye is answered: as it was said, or without a code. */
const GOODBYES: readonly number[] = [1000, 1005];
/** A guest that takes nothing is dropped within this time, even on a busy machine. */
const DROPPED_WITHIN_MS = 90_000;

/**
 * One of the many of a soak: comes, goes with a goodbye or without, takes nothing until it is
 * dropped, and goes on where it was.
 */
export class Guest {
  readonly check: FrameCheck;
  readonly counts: GuestCounts = { left: 0, vanished: 0, dropped: 0, resumed: 0 };
  /** Connections that ended though nobody wanted it. */
  readonly unwanted: string[] = [];
  readonly #options: GuestOptions;

  constructor(options: GuestOptions) {
    this.#options = options;
    this.check = new FrameCheck(options);
  }

  /** Lives until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { chance } = this.#options;
    while (!signal.aborted) {
      if (chance.percent(4)) await this.#takeNothing(signal);
      else if (chance.percent(8)) await this.#vanish();
      else await this.#stay(signal);
      await sleep(chance.between(20, AWAY_MS), signal).catch(() => {});
    }
  }

  /** One connection that hears everything, up to its goodbye. */
  async #stay(signal: AbortSignal): Promise<void> {
    const { url, chance } = this.#options;
    const resume = chance.percent(80) ? this.check.resumePoint : undefined;
    this.check.open(resume);
    if (resume) this.counts.resumed += 1;
    const socket = new WebSocket(withResume(url, resume));
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
    socket.onmessage = ({ data }) => {
      const at = Date.now();
      for (const frame of [JSON.parse(data)].flat()) this.check.take({ ...frame, at });
    };
    socket.onerror = () => {}; // the close that follows tells it all
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
    await Promise.race([promise, sleep(chance.between(500, STAY_MS), signal).catch(() => {})]);
    if (socket.readyState === WebSocket.OPEN) this.counts.left += 1;
    else this.unwanted.push(`ready state ${socket.readyState}`);
    socket.close(1000);
    const { code, reason } = await within(promise, { explain: () => "no end after a goodbye" });
    if (!GOODBYES.includes(code)) this.unwanted.push(`closed with ${code} ${reason}`);
  }

  /** One that is gone without a word. */
  async #vanish(): Promise<void> {
    const client = await RawClient.connect(this.#options.url);
    await client.readText();
    await client.reset();
    this.counts.vanished += 1;
  }

  /** One that reads nothing until the hub has dropped it. */
  async #takeNothing(signal: AbortSignal): Promise<void> {
    using client = await RawClient.connect(this.#options.largeUrl);
    await client.readText();
    await sleep(DROPPED_WITHIN_MS, signal).catch(() => {});
    if (signal.aborted) return;
    const reading = client.readToEnd();
    await within(reading, { explain: () => "one that took nothing was not dropped" });
    this.counts.dropped += 1;
  }
}

function withResume(address: string, resume: ResumePoint | undefined): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(resume ?? {})) {
    url.searchParams.set(name, String(value));
  }
  return url.href;
}
