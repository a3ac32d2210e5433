import { channelKind, ERROR_TYPES } from "../protocol/channel.ts";
import type { Frame, WelcomeData } from "../protocol/message.ts";

/** What is sent to resume where the last connection ended. */
export interface ResumePoint {
  readonly session: string;
  readonly epoch: string;
  readonly since: number;
}

/** Seqs remembered to recognise a replayed frame that was had before; the oldest is forgotten. */
const MAX_SEEN = 1024;

/**
 * How long nothing older may come after a frame before it counts as "nothing older was waiting",
 * in milliseconds.
 */
const QUIET_MS = 1000;

/**
 * How far a client has come in the hub's broadcasts.
 *
 * Frames do not arrive in the order of `seq`: the hub sends errors and heartbeats ahead of waiting
 * events, and conflates status frames. To resume after a heartbeat's `seq` would lose the events
 * it overtook. Events, though, keep their order among themselves. So `since` follows the events,
 * and any other frame counts only when for a while nothing older came after it. What is replayed
 * twice because of that is recognised and dropped.
 */
export class ResumePosition {
  #point: ResumePoint | undefined;
  readonly #seen = new Set<number>();
  #mark: { readonly seq: number; readonly at: number } | undefined;

  /** Where to resume; `undefined` before the first connection. */
  get resumePoint(): ResumePoint | undefined {
    return this.#point;
  }

  /** Takes note of a connection's welcome. */
  welcome(data: WelcomeData): void {
    const { session, epoch, seq, recovered } = data;
    const replays = recovered && this.#point?.epoch === epoch;
    this.#point = { session, epoch, since: replays ? this.#point?.since ?? seq : seq };
    this.#mark = undefined;
    if (!replays) this.#seen.clear();
  }

  /**
   * Takes note of a frame; false if it was had before.
   *
   * @param now Monotonic milliseconds.
   */
  accept(frame: Pick<Frame, "type" | "seq">, now: number): boolean {
    const { type, seq } = frame;
    if (seq === undefined) return true;
    const isEvent = channelKind(type) === "event";
    if (isEvent || (ERROR_TYPES as readonly string[]).includes(type)) {
      if (this.#seen.has(seq)) return false;
      this.#remember(seq);
    }
    if (isEvent) {
      this.#advance(seq);
      if (this.#mark !== undefined && seq < this.#mark.seq) this.#mark = undefined;
    } else if (this.#mark === undefined) {
      this.#mark = { seq, at: now };
    } else if (now - this.#mark.at >= QUIET_MS) {
      this.#advance(this.#mark.seq);
      this.#mark = { seq, at: now };
    }
    return true;
  }

  #advance(seq: number): void {
    if (this.#point !== undefined && seq > this.#point.since) {
      this.#point = { ...this.#point, since: seq };
    }
  }

  #remember(seq: number): void {
    this.#seen.add(seq);
    if (this.#seen.size <= MAX_SEEN) return;
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}
