import type { EncodedFrame } from "../../protocol/codec.ts";
import { VALUE_FORM } from "../../protocol/revised_value.ts";

/**
 * Which revision of each channel's value a client with `delta=1` had last: a small integer a
 * channel.
 */
export class HadRevisions {
  /** By the channels' slots; 0 where it had none. */
  readonly #revisions: number[] = [];

  /** The form in which the client gets this frame. */
  formFor({ revised }: EncodedFrame): number {
    return revised?.formFor(this.#revisions[revised.slot] ?? 0) ?? VALUE_FORM.whole;
  }

  /** The frame as the client gets it. */
  textOf(frame: EncodedFrame): string {
    return frame.revised?.text(this.formFor(frame)) ?? frame.text;
  }

  /** Notes that a frame has left. */
  note({ revised }: EncodedFrame): void {
    if (revised === undefined) return;
    // Without holes, which would make it a slower and larger thing.
    while (this.#revisions.length <= revised.slot) this.#revisions.push(0);
    this.#revisions[revised.slot] = revised.revision;
  }
}
