import type { SocketConstructor } from "../../client/socket.ts";
import type { HubAccess } from "../hub_access.ts";

/** Remembers a message's text as the hub wrote it, until the next one comes. */
export interface RawText {
  /** To be given to the client as its `WebSocket`. */
  readonly WebSocket: SocketConstructor;
  /** The message that is being handled. */
  readonly latest: string | undefined;
}

/**
 * Listens in on a client's sockets: what JSON's reader makes of a large number, and what its
 * writer makes of that, need not be what the hub sent.
 */
export function rawText(Base: HubAccess["WebSocket"] = WebSocket): RawText {
  let latest: string | undefined;
  class Tapped extends Base {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      // The first listener of all, so that the client's own one finds the text here.
      this.addEventListener("message", ({ data }) => {
        latest = typeof data === "string" ? data : undefined;
      });
    }
  }
  return {
    WebSocket: Tapped as SocketConstructor,
    get latest() {
      return latest;
    },
  };
}
