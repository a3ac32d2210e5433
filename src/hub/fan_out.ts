import { channelKind } from "../protocol/channel.ts";
import type { EncodedFrame } from "../protocol/codec.ts";
import type { Clock } from "../resilience/clock.ts";
import type { Histogram } from "../telemetry/histogram.ts";
import type { Lane } from "./outbox.ts";
import type { Session } from "./session.ts";

export interface FanOutOptions {
  clock: Clock;
  /** Takes how long each broadcast took from the first client to the last, in seconds. */
  durations: Histogram;
}

/** One frame to many clients. */
export class FanOut {
  readonly #options: FanOutOptions;

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /** Delivers a broadcast to these clients. */
  send(frame: EncodedFrame, sessions: Iterable<Session>): void {
    const { clock, durations } = this.#options;
    const lane = laneOf(frame.type);
    const now = clock.now();
    for (const session of sessions) session.deliver(frame, lane, now);
    durations.observe((clock.now() - now) / 1000);
  }
}

function laneOf(type: string): Lane {
  const kind = channelKind(type);
  if (kind === "hub") return "control";
  return kind === "event" ? "event" : "status";
}
