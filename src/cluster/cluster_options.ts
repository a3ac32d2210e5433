import type { Hub } from "../hub/hub.ts";
import type { JsonText } from "../protocol/codec.ts";
import type { Clock } from "../resilience/clock.ts";
import type { OpenBroker } from "./broker.ts";
import type { NewValue } from "../values/value.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Feeds } from "./feeds.ts";
import type { UnsaidKeeper } from "./unsaid.ts";

/** What a hub brings into a cluster. */
export interface ClusterOptions {
  clock: Clock;
  hub: Pick<Hub, "stream" | "value" | "error" | "epoch" | "size">;
  open: OpenBroker;
  /** What people call this hub: the host's name, most often. */
  name: string;
  /** How long a lease lasts that is not renewed, in milliseconds. */
  leaseMs: number;
  /** How long the broker may be away before the hub does without it, in milliseconds. */
  graceMs: number;
  values: ValueStore;
  /** Whether this hub has a status channel of this name. */
  isKnown: (channel: string) => boolean;
  /**
   * Polling is this hub's business from now on. Called again while it is, it changes nothing. Told the
   * backends that clients believe not to be polled. Rejects if it cannot poll, as its configuration
   * cannot be put into force.
   */
  startPolling: (backendsOut: ReadonlySet<string>) => Promise<void>;
  /** Keeps what is accepted while the hub is alone. Default: nothing outlives the process. */
  unsaid?: UnsaidKeeper;
  /** Polling is another hub's business. */
  stopPolling: () => void;
  /** Asks the sources of these channels at once: called on the hub that polls. */
  pollNow: (channels: readonly string[]) => void;
  /** What feeds the channels: hubs of one cluster are fed alike. */
  feeds: () => Feeds;
  /** Whether a backend can be reached from here, though another hub polls it. */
  probe: (backend: string, signal: AbortSignal) => Promise<boolean>;
  /** What `/status` says of the backends, while this hub polls them. */
  backendReports: () => Readonly<Record<string, unknown>>;
}

/** What is to be published. */
export interface PublishDraft {
  readonly type: string;
  readonly data: JsonText;
  /** Of a status channel's value, since when and for how long it holds. */
  readonly value?: Pick<NewValue, "calledAt" | "validForMs">;
  /** Said while the hub is alone, it is kept for the others. Default true. */
  readonly isKept?: boolean;
}

/** What became of it. */
export interface PublishReceipt {
  readonly seq: number;
  /** So far this hub alone has it. */
  readonly shared?: false;
}
