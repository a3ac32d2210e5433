import { type EncodedFrame, joinBatch } from "../../protocol/codec.ts";
import type { HadRevisions } from "./had_revisions.ts";
import { type Lane, Outbox, type PushResult } from "./outbox.ts";

/** A frame of a batch, and what is the lowest number among its events that have not left before. */
export interface BatchedFrame {
  readonly frame: EncodedFrame;
  readonly firstWaitingEvent: number | undefined;
}

/**
 * What is being gathered for clients that stand in the same place: the same frames have come for
 * each of them since its last batch. Immutable; one more frame leads to the next batch, and all who
 * take that step together come to the very same one. So a broadcast to a thousand of them builds
 * one list, and its text is joined once.
 */
export class SharedBatch {
  /** What became of the frame that led here. */
  readonly verdict: PushResult;
  /** Characters in it: what the frames weigh, near enough. */
  readonly weight: number;
  readonly #waiting: Outbox;
  /** The last step taken from here: a broadcast goes to one client after the other. */
  #stepped: EncodedFrame | undefined;
  #next: SharedBatch | undefined;
  #frames: readonly BatchedFrame[] | undefined;
  #text: string | undefined;
  /** The same for clients with `delta=1`, by the forms their values take; a few ever differ. */
  #deltaTexts: Map<string, string> | undefined;

  private constructor(waiting: Outbox, verdict: PushResult) {
    this.#waiting = waiting;
    this.verdict = verdict;
    this.weight = waiting.weight;
  }

  /** A batch in which nothing is yet. */
  static empty(maxEvents: number): SharedBatch {
    return new SharedBatch(new Outbox(maxEvents), "queued");
  }

  /** This batch and one more frame; if that does not fit, the verdict of the result says so. */
  with(frame: EncodedFrame, lane: Lane): SharedBatch {
    if (this.#next === undefined || this.#stepped !== frame) {
      const waiting = this.#waiting.copy();
      this.#next = new SharedBatch(waiting, waiting.push(frame, lane));
      this.#stepped = frame;
    }
    return this.#next;
  }

  /** Frames in it. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The frames in the order in which they leave. */
  get frames(): readonly BatchedFrame[] {
    return this.#frames ??= inOrder(this.#waiting.copy());
  }

  /** The text of the one message they leave in. */
  get text(): string {
    return this.#text ??= joinBatch(this.frames.map(({ frame }) => frame));
  }

  /** The same for a client with `delta=1` that had these values: joined once for all that did. */
  textFor(had: HadRevisions): string {
    let forms = "";
    for (const { frame } of this.frames) {
      if (frame.revised !== undefined) forms += had.formFor(frame);
    }
    if (forms === "") return this.text;
    this.#deltaTexts ??= new Map();
    let text = this.#deltaTexts.get(forms);
    if (text === undefined) {
      text = joinBatch(this.frames.map(({ frame }) => ({ text: had.textOf(frame) })));
      this.#deltaTexts.set(forms, text);
    }
    return text;
  }

  /** The same frames for one client that falls behind, from now on its own. */
  copy(): Outbox {
    return this.#waiting.copy();
  }
}

function inOrder(waiting: Outbox): BatchedFrame[] {
  const frames: BatchedFrame[] = [];
  for (let frame = waiting.peek(); frame !== undefined; frame = waiting.peek()) {
    frames.push({ frame, firstWaitingEvent: waiting.firstWaitingEvent() });
    waiting.drop();
  }
  return frames;
}
