import type { JsonText } from "../protocol/codec.ts";
import type { ErrorCode } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { DeliveryRecord } from "./resume/delivery_log.ts";

/** A broadcast of the shared stream, as every hub that follows it sends it. */
export interface SharedFrame {
  readonly type: string;
  readonly data: JsonText;
  /** A value as it now stands, where the frame is one; its `data` is not used then. */
  readonly status?: StatusData<JsonText>;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly seq: number;
  /** The code of an error frame. */
  readonly code?: ErrorCode;
}

/** A client that left one of the hubs, for the others to know when it comes to them. */
export interface Departure {
  readonly session: string;
  /** In which its numbers count. */
  readonly epoch: string;
  /** Why the hub ended it, where it did. */
  readonly closedWith?: ErrorCode;
  readonly progress: DeliveryRecord;
}

export interface FollowStreamOptions {
  /** Frames of this numbering up to this one will never come here. */
  startsAfter: number;
  /** Something may have been said that this hub's clients will not hear. */
  hasGap: boolean;
  /**
   * The hub comes to the stream, and what follows up to this number was said before it came. Default:
   * it was there already.
   */
  writtenUpTo?: number;
  /**
   * Clients that came before this one, as they are counted, have heard of this hub alone what is yet to
   * be written into the stream. They may go to another hub before that, and hear it there again: they
   * are told of a gap. Default: none have.
   */
  heardAloneBefore?: number;
}
