import {
  type Call,
  type Outcome,
  type StreamEnd,
  type StreamEvent,
  type StreamingBackend,
  valueOutcome,
} from "../../src/rpc/backend.ts";
import { Newest } from "../../src/rpc/stream/newest.ts";
import type { FakeClock } from "./fake_clock.ts";
import { ScriptedBackend } from "./scripted_backend.ts";

/** One stream that was asked for, under a test's control. */
export interface ScriptedStream {
  readonly method: string;
  readonly signal: AbortSignal;
  /** Lets it come about. */
  open(): void;
  /** Gives a message; what comes of reading it. Default of `cameAtMs`: now. */
  give(outcome: Outcome, cameAtMs?: number): void;
  end(end?: StreamEnd): void;
}

/** A backend in process whose streams do what a test says. */
export class ScriptedStreams extends ScriptedBackend implements StreamingBackend {
  /** All that were ever asked for, in order. */
  readonly streams: ScriptedStream[] = [];
  /** Messages that were read. */
  reads = 0;
  /** What becomes of a stream that is asked for. Default: it comes about at once and is silent. */
  onStream: (stream: ScriptedStream) => void = (stream) => stream.open();
  readonly #clock: () => FakeClock;

  constructor(clock: () => FakeClock, script: ScriptedBackend["script"]) {
    super(script);
    this.#clock = clock;
  }

  /** The newest one that was asked for. */
  get last(): ScriptedStream {
    const last = this.streams.at(-1);
    if (last === undefined) throw new Error("no stream was asked for");
    return last;
  }

  /** Streams that nobody has given up, and that have not ended. */
  get open(): number {
    return this.#open;
  }
  #open = 0;

  async *stream(
    { method }: Call,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<StreamEvent, StreamEnd, undefined> {
    const newest = new Newest<StreamEvent, StreamEnd>();
    const stream: ScriptedStream = {
      method,
      signal,
      open: () => newest.put({ kind: "opened" }),
      give: (outcome, cameAtMs = this.#clock().unixMs()) =>
        newest.put({
          kind: "message",
          cameAtMs,
          read: () => {
            this.reads += 1;
            return Promise.resolve(outcome);
          },
        }),
      end: (end = { kind: "unavailable", reason: "the stream ended" }) => newest.end(end),
    };
    this.streams.push(stream);
    this.#open += 1;
    try {
      this.onStream(stream);
      for (;;) {
        const taken = await newest.take(signal);
        if (taken.kind === "ended") return taken.how;
        yield taken.item;
      }
    } finally {
      this.#open -= 1;
    }
  }
}

export function value(of: unknown): Outcome {
  return valueOutcome(of);
}
