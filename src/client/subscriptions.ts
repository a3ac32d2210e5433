import type { ClientMessage } from "../protocol/message.ts";
import { Wanted } from "./wanted.ts";

/**
 * Keeps what the hub sends in step with what the user wants. Changes made in one go are sent as
 * one message, since a hub counts the messages of a client.
 */
export class Subscriptions {
  readonly #wanted: Wanted;
  readonly #send: (message: ClientMessage) => void;
  /** What the connection named when it was made; `undefined` for all. */
  #named: readonly string[] | undefined;
  /** What the hub was told to send; `undefined` while not connected. */
  #told: ReadonlySet<string> | undefined;
  /** What the hub offered when it was asked for all. */
  #offered: readonly string[] = [];
  #granted: ReadonlySet<string> = new Set();
  #syncIsDue = false;

  /** @throws {RangeError} If a name is not a channel's. */
  constructor(
    channels: readonly string[] | undefined,
    send: (message: ClientMessage) => void,
  ) {
    this.#wanted = new Wanted(channels);
    this.#send = send;
  }

  /** What the hub sends, by its own latest account. */
  get granted(): ReadonlySet<string> {
    return this.#granted;
  }

  wants(type: string): boolean {
    return this.#wanted.wants(type);
  }

  isOwnBusiness(channel: unknown): boolean {
    return this.#wanted.isOwnBusiness(channel);
  }

  /** @throws {RangeError} If a name is not a channel's. */
  add(channels: readonly string[]): void {
    this.#wanted.add(channels);
    this.#syncSoon();
  }

  /** @throws {RangeError} If a name is not a channel's. */
  remove(channels: readonly string[]): void {
    this.#wanted.remove(channels);
    this.#syncSoon();
  }

  /** The channels to name in a connection about to be made; `undefined` for all. */
  name(): readonly string[] | undefined {
    return this.#named = this.#wanted.query;
  }

  /** Takes note of what a connection is subscribed to: a new one, or one that is welcomed again. */
  welcome(channels: readonly string[]): void {
    if (this.#told !== undefined) return this.grant(channels);
    this.#offered = channels;
    this.#granted = new Set(channels);
    this.#told = new Set(this.#named ?? channels);
    this.#syncSoon(); // the user may have changed their mind while it was being made
  }

  /** Takes note of the hub's answer to a change, or of channels that have come to be since. */
  grant(channels: readonly string[]): void {
    this.#granted = new Set(channels);
    if (this.#named !== undefined || this.#told === undefined) return;
    const isNew = (channel: string) => !this.#offered.includes(channel);
    const added = channels.filter(isNew);
    if (added.length === 0) return;
    this.#offered = [...this.#offered, ...added];
    this.#told = new Set([...this.#told, ...added]);
    this.#syncSoon(); // the user may have left one before it was there
  }

  /** Takes note that the connection is gone: the next one names the channels anew. */
  lost(): void {
    this.#told = undefined;
  }

  #syncSoon(): void {
    if (this.#syncIsDue) return;
    this.#syncIsDue = true;
    queueMicrotask(() => {
      this.#syncIsDue = false;
      this.#sync();
    });
  }

  #sync(): void {
    const told = this.#told;
    if (told === undefined) return;
    const wanted = new Set(this.#wanted.listFrom(this.#offered));
    const missing = [...wanted].filter((channel) => !told.has(channel));
    const extra = [...told].filter((channel) => !wanted.has(channel));
    this.#told = wanted;
    if (missing.length > 0) this.#send({ type: "subscribe", channels: missing });
    if (extra.length > 0) this.#send({ type: "unsubscribe", channels: extra });
  }
}
