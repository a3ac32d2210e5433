import { CHANNEL_GRAMMAR, isChannelName, SubscriptionSet } from "../protocol/channel.ts";

/** Channels the client needs for itself: signs of life, and word of a shutdown. */
const OWN_CHANNELS = ["heartbeat", "error"] as const;

/**
 * What the user wants to hear. The client's own channels are always subscribed to, and shown only
 * to a user who asked for them.
 */
export class Wanted {
  /** `undefined`: whatever the hub offers. */
  readonly #asked: SubscriptionSet | undefined;
  readonly #added = new SubscriptionSet();
  readonly #excluded = new Set<string>();

  /** @throws {RangeError} If a name is not a channel's. */
  constructor(channels?: readonly string[]) {
    if (channels === undefined) return;
    this.#asked = new SubscriptionSet();
    this.add(channels);
  }

  /** @throws {RangeError} If a name is not a channel's. */
  add(channels: readonly string[]): void {
    checkNames(channels);
    for (const channel of channels) {
      this.#excluded.delete(channel);
      (this.#asked ?? this.#added).add(channel);
    }
  }

  /** @throws {RangeError} If a name is not a channel's. */
  remove(channels: readonly string[]): void {
    checkNames(channels);
    for (const channel of channels) {
      (this.#asked ?? this.#added).remove(channel);
      if (this.#asked === undefined) this.#excluded.add(channel);
    }
  }

  /** Whether frames of this type are shown to the user. */
  wants(type: string): boolean {
    if (this.#asked !== undefined) return this.#asked.wants(type);
    if (this.#excluded.has(type)) return false;
    // Leaving `error` leaves all that a subscription to it brings, save what was asked for itself.
    const isError = type === "rpc_error" || type === "connection_error";
    return !isError || !this.#excluded.has("error") || this.#added.has(type);
  }

  /** The channels to name when connecting; `undefined` for all. */
  get query(): string[] | undefined {
    return this.#asked && [...new Set([...this.#asked.channels, ...OWN_CHANNELS])];
  }

  /** The channels to be subscribed to at a hub that offers `offered` to those who want all. */
  listFrom(offered: readonly string[]): string[] {
    if (this.query !== undefined) return this.query;
    const isOwn = (channel: string) => (OWN_CHANNELS as readonly string[]).includes(channel);
    const kept = offered.filter((channel) => isOwn(channel) || !this.#excluded.has(channel));
    return [...new Set([...kept, ...this.#added.channels])];
  }

  /** Whether an error about this channel is the client's own business. */
  isOwnBusiness(channel: unknown): boolean {
    return (OWN_CHANNELS as readonly unknown[]).includes(channel) && !this.wants(String(channel));
  }
}

function checkNames(channels: readonly string[]): void {
  const bad = channels.find((channel) => !isChannelName(channel));
  if (bad === undefined) return;
  throw new RangeError(
    `Cannot subscribe to "${bad}": a channel's name is ${CHANNEL_GRAMMAR}`,
  );
}
