import { type Config, MOST_WORKERS } from "../config/schema.ts";
import type { Hub } from "../hub/hub.ts";
import type { HubMirror } from "../hub/hub_mirror.ts";
import type { Departure } from "../hub/shared_frame.ts";
import type { ErrorEvent } from "../protocol/error_event.ts";
import type { Clock } from "../resilience/clock.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Authenticator } from "./door/authenticator.ts";
import type { Expiries } from "./door/expiry.ts";
import type { Policy } from "./door/policy.ts";
import type { Listeners } from "./sockets/listeners.ts";
import type { RouteContext } from "./http/routes.ts";
import type { ReportedThreads } from "./reports/client_figures.ts";
import type { Sockets } from "./sockets/sockets.ts";
import type { Drained } from "./shutdown.ts";

/** What the threads need of the application. */
export interface ClientThreadsPlace {
  readonly clock: Clock;
  readonly count: number;
  readonly values: ValueStore;
  readonly expiries: Expiries;
  /** Where the sockets of a thread that hangs are ended. */
  readonly sockets: Pick<Sockets, "endAll" | "stopListening">;
  /** Exists once the threads listen. */
  readonly hub: () => Hub;
  readonly statusChannels: () => readonly string[];
  readonly isOffered: (channel: string) => boolean;
  readonly config: () => Config;
  readonly policy: () => Policy;
  readonly authenticator: () => Authenticator;
  /** Answers whatever comes to any of them. */
  readonly handler: () => Deno.ServeHandler;
  readonly tellLoss: (event: ErrorEvent) => void;
  readonly tellDeparture: (departure: Departure) => void;
}

/**
 * Threads that share the clients of one port among themselves: they listen, and have the connections.
 * Who may come in, and what is said, stays the main thread's.
 */
export interface ClientThreads
  extends Pick<Listeners, "url" | "listen" | "renew" | "run" | "close">, ReportedThreads {
  readonly mirror: HubMirror;
  /** What is done for those who become clients. */
  readonly visits: Pick<RouteContext, "openWebSocket" | "openEventStream">;
  /** Whether every one of them answers. */
  readonly areAlive: boolean;
  isHttp2(peer: { readonly hostname: string; readonly port: number }): boolean;
  /** The rules for access have changed. */
  rulesChanged(): void;
  drain(options: { drainMs: number; reconnectWithinMs: number }): Promise<Drained>;
}

export type OpenClientThreads = (place: ClientThreadsPlace) => ClientThreads;

/** How many threads are to serve clients. */
export function threadsOf({ workers }: Pick<Config, "workers">): number {
  if (workers !== "auto") return workers;
  return Math.min(MOST_WORKERS, Math.max(1, navigator.hardwareConcurrency));
}
