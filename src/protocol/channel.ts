/** Channel names: their grammar, the hub's own ones, and what a subscription to one brings. */

/** `[a-z][a-z0-9_]{0,63}`: what every channel name looks like. */
const CHANNEL = /^[a-z][a-z0-9_]{0,63}$/;

/** The grammar in words, for error messages. */
export const CHANNEL_GRAMMAR =
  "a lower-case letter, then up to 63 lower-case letters, digits or underscores";

/** The three types an error travels under; a subscription to `error` brings all of them. */
export const ERROR_TYPES = ["error", "rpc_error", "connection_error"] as const;

const errorTypes: ReadonlySet<string> = new Set(ERROR_TYPES);

/** Whether frames of this type carry an error. */
export function isErrorType(type: string): boolean {
  return errorTypes.has(type);
}

/** Channels only the hub itself speaks on. */
export const HUB_CHANNELS = [...ERROR_TYPES, "heartbeat"] as const;

/** The event channel: every frame counts, none replaces another. */
export const EVENT_CHANNEL = "notification";

/** Status channels that exist in every hub, whether or not a source feeds them. */
export const WELL_KNOWN_STATUS_CHANNELS = [
  "system_status",
  "storage_update",
  "agent_status",
  "compression_update",
] as const;

/** Types of frames that are never a channel, so no source may take their name. */
export const RESERVED_TYPES = ["welcome", "pong", "subscribed"] as const;

/** What a channel is, which decides the lane its frames wait in. */
export type ChannelKind = "status" | "event" | "hub";

export function isChannelName(name: string): boolean {
  return CHANNEL.test(name);
}

const hubChannels: ReadonlySet<string> = new Set(HUB_CHANNELS);
const reserved: ReadonlySet<string> = new Set(RESERVED_TYPES);

/** The kind a channel has by its name alone: anything that is not an event or the hub's is status. */
export function channelKind(channel: string): ChannelKind {
  if (hubChannels.has(channel)) return "hub";
  return channel === EVENT_CHANNEL ? "event" : "status";
}

/** Whether a source (or a publisher) may feed this channel as a status channel. */
export function isStatusChannel(name: string): boolean {
  return isChannelName(name) && channelKind(name) === "status" && !reserved.has(name);
}

/** The frame types a subscription to `channel` brings. */
export function typesOf(channel: string): readonly string[] {
  return channel === "error" ? ERROR_TYPES : [channel];
}

/**
 * The set of channels one client is subscribed to. It remembers what the client asked for, so
 * that leaving `error` does not take away an `rpc_error` asked for on its own.
 */
export class SubscriptionSet {
  readonly #channels = new Set<string>();

  /** The channels asked for, in the order they were first asked for. */
  get channels(): string[] {
    return [...this.#channels];
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** Adds a channel; false if it was there already. */
  add(channel: string): boolean {
    if (this.#channels.has(channel)) return false;
    this.#channels.add(channel);
    return true;
  }

  /** Removes a channel; false if it was not there. */
  remove(channel: string): boolean {
    return this.#channels.delete(channel);
  }

  /** Whether frames of this type go to the client. */
  wants(type: string): boolean {
    if (this.#channels.has(type)) return true;
    return this.#channels.has("error") && isErrorType(type);
  }
}
