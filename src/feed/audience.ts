import type { JsonText } from "../protocol/codec.ts";
import type { ErrorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";

/** Where the feed's news goes. The hub fits, but the feed does not know it. */
export interface Audience {
  /** A channel's value as it stands, for everybody who wants the channel. */
  value(channel: string, status: StatusData<JsonText>): void;
  /** An error for everybody who wants errors. */
  error(event: ErrorEvent): void;
}
