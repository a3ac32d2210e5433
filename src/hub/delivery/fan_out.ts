import { channelKind } from "../../protocol/channel.ts";
import type { EncodedFrame } from "../../protocol/codec.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { Histogram } from "../../telemetry/histogram.ts";
import type { FrameStats } from "./client_writer.ts";
import type { Lane } from "./outbox.ts";

export interface FanOutOptions {
  clock: Clock;
  /** Where frames are counted, and how long each broadcast took. */
  stats: Pick<FrameStats, "sent"> & { readonly fanOut: Pick<Histogram, "observe"> };
}

/** A client that is offered a frame. */
export interface Recipient {
  /** Whether the frame was sent at once: such frames are counted by who offers them. */
  offer(frame: EncodedFrame, lane: Lane, now: number): boolean;
}

/** One frame to many clients. */
export class FanOut {
  readonly #options: FanOutOptions;

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /** Delivers a broadcast to the clients in these groups. */
  send(frame: EncodedFrame, groups: Iterable<Iterable<Recipient>>): void {
    const { clock, stats } = this.#options;
    const lane = laneOf(frame.type);
    const now = clock.now();
    let sent = 0;
    for (const sessions of groups) {
      for (const session of sessions) if (session.offer(frame, lane, now)) sent += 1;
    }
    if (sent > 0) stats.sent(frame.type, sent);
    stats.fanOut.observe((clock.now() - now) / 1000);
  }
}

function laneOf(type: string): Lane {
  const kind = channelKind(type);
  if (kind === "hub") return "control";
  return kind === "event" ? "event" : "status";
}
