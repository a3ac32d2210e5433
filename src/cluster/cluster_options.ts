import type { Hub } from "../hub/hub.ts";
import type { Clock } from "../resilience/clock.ts";
import type { OpenBroker } from "./broker.ts";
import type { FedChannel, Inheritance } from "./replica.ts";
import type { Role } from "./presence.ts";

/** What a hub brings into a cluster. */
export interface ClusterOptions {
  clock: Clock;
  hub: Pick<Hub, "stream" | "value" | "error" | "epoch" | "size">;
  open: OpenBroker;
  /** How this hub is called among the others. */
  name: string;
  /** How long a lease lasts that is not renewed, in milliseconds. */
  leaseMs: number;
  /** How long the engine may be away before the hub does without it, in milliseconds. */
  graceMs: number;
  /** The channels that sources feed. */
  fed: () => readonly FedChannel[];
  /** Polling is this hub's business from now on. Called again while it is, it changes nothing. */
  startPolling: (inheritance: Inheritance) => void;
  /** Polling is another hub's business. */
  stopPolling: () => void;
  /** What `/status` says of the backends, while this hub polls them. */
  backendReports: () => Readonly<Record<string, unknown>>;
}

/** What `/status` says of the cluster. */
export interface ClusterReport {
  readonly role: Role;
  /** This hub's name in the cluster. */
  readonly hub: string;
  readonly connected: boolean;
  /** Clients of all hubs together. */
  readonly clients_connected: number;
  readonly hubs: readonly { readonly hub: string; readonly role: Role; readonly clients: number }[];
}
