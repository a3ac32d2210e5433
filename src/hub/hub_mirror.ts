import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { StreamPosition } from "./resume/sequence.ts";
import type { Departure, FollowStreamOptions, SharedFrame } from "./shared_frame.ts";

/** A frame that the hub has numbered, or that has no number. */
export interface NumberedFrame {
  readonly type: string;
  readonly data: JsonText;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Absent while numbers come from a shared stream, which knows nothing of this frame. */
  readonly seq?: number | undefined;
}

/** Where a value stands in time and among the broadcasts. */
export type NumberedPlace = Pick<NumberedFrame, "timestamp" | "seq">;

/**
 * The hubs that serve this one's clients, where others do: each repeats what this one says, under the
 * numbers that it has. Calls come in the order in which everything happened.
 */
export interface HubMirror {
  /** Clients that they have. */
  readonly clients: number;
  broadcast(frame: NumberedFrame): void;
  value(channel: string, status: StatusData<JsonText>, place: NumberedPlace): void;
  relay(frame: SharedFrame, options: { hadBefore: number }): void;
  remember(frame: SharedFrame): void;
  follow(position: StreamPosition, options: FollowStreamOptions): void;
  /** The hub counts by itself again. */
  leave(position: StreamPosition): void;
  learn(departure: Departure): void;
  channelsChanged(): void;
  /** A number that tells clients who are there at this moment from those who come later. */
  mark(): number;
}
