import type { JsonText } from "../protocol/codec.ts";
import type { ErrorEvent } from "../protocol/error_event.ts";

/** Where the feed's news goes. The hub fits, but the feed does not know it. */
export interface Audience {
  /** Data for everybody who wants this type. */
  broadcast(type: string, data: JsonText): void;
  /** An error for everybody who wants errors. */
  broadcastError(event: ErrorEvent): void;
}
