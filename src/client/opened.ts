import type { WelcomeData } from "../protocol/message.ts";
import type { Listener } from "./emitter.ts";
import { ClientStoppedError, type ConnectionState } from "./events.ts";

/** As much of a client as waiting for its connection takes. */
export interface Connecting {
  readonly state: ConnectionState;
  on(type: "state", listener: Listener<ConnectionState>): () => void;
}

/**
 * Resolves with the welcome once connected; at once if it is.
 *
 * @throws {ClientStoppedError} If the client stops first.
 * @throws {Error} If it is closed first.
 * @throws The signal's reason, when it is aborted.
 */
export function opened(client: Connecting, signal?: AbortSignal): Promise<WelcomeData> {
  return new Promise((resolve, reject) => {
    const off = client.on("state", judge);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    else judge(client.state);

    function judge(state: ConnectionState): void {
      if (state.kind === "connecting" || state.kind === "waiting") return;
      if (state.kind === "open") resolve(state.welcome);
      else if (state.kind === "closed") reject(new Error("The client is closed"));
      else reject(new ClientStoppedError(state.code, state.reason));
      done();
    }

    function onAbort(): void {
      reject(signal?.reason);
      done();
    }

    function done(): void {
      off();
      signal?.removeEventListener("abort", onAbort);
    }
  });
}
