import { EVENT_CHANNEL } from "../../protocol/channel.ts";
import type { EncodedFrame } from "../../protocol/codec.ts";

/** Events kept, 3 MB where each is as large as it may be. When full, the oldest is forgotten. */
export const MAX_RECENT_EVENTS = 50;

/**
 * The latest events, whatever their age: for who comes later and wants to know what was said.
 * Clients do not resume from them, so a new numbering leaves them alone.
 */
export class RecentEvents {
  readonly #frames: EncodedFrame[] = [];

  /** Newest first. */
  get list(): readonly EncodedFrame[] {
    return this.#frames.toReversed();
  }

  /** Takes an event; frames of other kinds, and one that is there already, are left out. */
  add(frame: EncodedFrame): void {
    if (frame.type !== EVENT_CHANNEL) return;
    if (this.#frames.some(({ text }) => text === frame.text)) return; // a stream that is read again
    this.#frames.push(frame);
    if (this.#frames.length > MAX_RECENT_EVENTS) this.#frames.shift();
  }
}
