import { channelKind, EVENT_CHANNEL, HUB_CHANNELS } from "../protocol/channel.ts";
import { encodeFrame, json, type JsonText } from "../protocol/codec.ts";
import { type ErrorCode, errorEvent, errorType } from "../protocol/error_event.ts";
import type { ClientMessage, WelcomeData } from "../protocol/message.ts";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { ErrorCounts } from "./error_counts.ts";
import type { ValueFrames } from "./delivery/value_frames.ts";
import type { Registry } from "./registry.ts";
import type { Session } from "./session.ts";

export interface ClientRequestsOptions {
  clock: Clock;
  registry: Registry;
  errors: ErrorCounts;
  /** The status channels there are just now. */
  statusChannels: () => readonly string[];
  /** Whether a client that names no channels gets this status channel. Default: all there are. */
  isOffered?: (channel: string) => boolean;
  /** Where values are read from, flagged as they then stand. */
  values: Pick<ValueStore, "read">;
  valueFrames: ValueFrames;
}

/**
 * Refused channels that one message is told of one by one; the rest is told in one frame, or a
 * message that names a thousand would fill the client's control lane.
 */
export const REFUSALS_TOLD_SINGLY = 8;

/** A channel a client asked for and does not get. */
interface Refusal {
  readonly code: "UNKNOWN_CHANNEL" | "FORBIDDEN_CHANNEL";
  readonly channel: string;
  readonly why: string;
}

/**
 * Serves one client at a time: subscribes it, answers it, hands it the latest values. Frames from
 * here have no sequence number, for they are for one client alone.
 */
export class ClientRequests {
  readonly #options: ClientRequestsOptions;
  readonly #log: Log = logOf("hub");

  constructor(options: ClientRequestsOptions) {
    this.#options = options;
  }

  /** Every channel a client can subscribe to. */
  channels(): string[] {
    return [...this.#options.statusChannels(), EVENT_CHANNEL, ...HUB_CHANNELS];
  }

  /** Subscribes a new client; what it wanted and does not get is returned. */
  admit(session: Session, channels: readonly string[] | undefined): Refusal[] {
    const known = this.channels();
    const wanted = channels ?? known.filter((channel) => this.#isFor(session, channel));
    return this.#subscribe(session, wanted, known);
  }

  /**
   * Says hello, and what was refused.
   *
   * @param options.resumeFrom The number from which an event stream may go on once it has this.
   * Default: the welcome's own.
   */
  welcome(
    session: Session,
    welcome: WelcomeData,
    options: { readonly refused?: readonly Refusal[]; readonly resumeFrom?: number } = {},
  ): void {
    const { refused = [], resumeFrom = welcome.seq } = options;
    const { clock } = this.#options;
    const frame = encodeFrame("welcome", json(welcome), clock.unixSeconds());
    session.deliver({ ...frame, resumeFrom }, "control", clock.now());
    this.#sendRefused(session, refused);
  }

  /** Hands over the latest value of every status channel the client is subscribed to. */
  handOverLatest(session: Session): void {
    for (const channel of session.subscriptions.channels) this.#sendLatest(session, channel);
  }

  /** Subscribes a client that wants everything to channels that have come to be, and tells it. */
  catchUp(session: Session): void {
    if (!session.wantsAll) return;
    const missing = this.channels().filter((channel) =>
      !session.subscriptions.has(channel) && !session.hasLeft(channel) &&
      this.#isFor(session, channel)
    );
    if (missing.length === 0) return;
    this.#options.registry.subscribe(session, missing);
    this.#sendSubscribed(session);
    for (const channel of missing) this.#sendLatest(session, channel);
  }

  /** Ends what a client may not read any more, and tells it what is left; true if there was any. */
  unsubscribeForbidden(session: Session): boolean {
    const lost = session.subscriptions.channels.filter((channel) => !session.mayRead(channel));
    if (lost.length === 0) return false;
    this.#unsubscribe(session, lost);
    this.#sendSubscribed(session);
    return true;
  }

  /** Answers a message. */
  answer(session: Session, message: ClientMessage): void {
    switch (message.type) {
      case "ping":
        this.#send(session, "pong", json(message.id === undefined ? {} : { id: message.id }));
        return;
      case "subscribe": {
        const before = new Set(session.subscriptions.channels);
        session.comeBackTo(message.channels);
        const refused = this.#subscribe(session, message.channels, this.channels());
        this.#sendRefused(session, refused);
        this.#sendSubscribed(session);
        for (const channel of session.subscriptions.channels) {
          if (!before.has(channel)) this.#sendLatest(session, channel);
        }
        return;
      }
      case "unsubscribe": {
        const known = this.channels();
        const refused = [...new Set(message.channels)]
          .filter((channel) => !session.subscriptions.has(channel) && !known.includes(channel))
          .map(unknown);
        session.leave(message.channels);
        this.#unsubscribe(session, message.channels);
        this.#sendRefused(session, refused);
        this.#sendSubscribed(session);
      }
    }
  }

  /** Tells a client alone that something about it was wrong. */
  sendError(session: Session, code: ErrorCode, why: string, data?: { channel: string }): void {
    this.#options.errors.add(code);
    const timestamp = this.#options.clock.unixSeconds();
    const event = errorEvent(code, why, { timestamp, ...(data ? { data } : {}) });
    this.#send(session, errorType(code), json(event));
    this.#log.debug("client.told_error", { ...session.logFields, code, why });
  }

  /** Whether a client that wants everything gets this channel. */
  #isFor(session: Session, channel: string): boolean {
    const { isOffered = () => true } = this.#options;
    return session.mayRead(channel) && (channelKind(channel) !== "status" || isOffered(channel));
  }

  /** Ends subscriptions, and forgets the values that still wait: `subscribed` overtakes them. */
  #unsubscribe(session: Session, channels: readonly string[]): void {
    this.#options.registry.unsubscribe(session, channels);
    session.forgetValues(channels);
  }

  /** Subscribes to what is known and allowed; returns what was refused, and why. */
  #subscribe(session: Session, channels: readonly string[], known: readonly string[]): Refusal[] {
    const refused: Refusal[] = [];
    const granted: string[] = [];
    for (const channel of new Set(channels)) {
      // In this order: whether a channel exists is not for everybody to know.
      if (!session.mayRead(channel)) refused.push(forbidden(channel));
      else if (!known.includes(channel)) refused.push(unknown(channel));
      else granted.push(channel);
    }
    this.#options.registry.subscribe(session, granted);
    return refused;
  }

  #sendRefused(session: Session, refused: readonly Refusal[]): void {
    for (const { code, why, channel } of refused.slice(0, REFUSALS_TOLD_SINGLY)) {
      this.sendError(session, code, why, { channel });
    }
    const [next, ...others] = refused.slice(REFUSALS_TOLD_SINGLY);
    if (next === undefined) return;
    const why = others.length === 0 ? next.why : `${next.why}; and ${others.length} more like it`;
    this.sendError(session, next.code, why, { channel: next.channel });
  }

  #sendSubscribed(session: Session): void {
    this.#send(session, "subscribed", json({ channels: session.subscriptions.channels }));
  }

  #sendLatest(session: Session, channel: string): void {
    if (channelKind(channel) !== "status") return;
    const { clock, values, valueFrames } = this.#options;
    const status = values.read(channel);
    if (status === undefined) return;
    const { wantsDelta } = session;
    const place = { timestamp: clock.unixSeconds(), wantsDelta };
    session.deliver(valueFrames.latest(channel, status, place), "status", clock.now());
  }

  #send(session: Session, type: string, data: JsonText): void {
    const { clock } = this.#options;
    session.deliver(encodeFrame(type, data, clock.unixSeconds()), "control", clock.now());
  }
}

function forbidden(name: string): Refusal {
  const channel = shortened(name);
  const why = `your token does not allow the channel ${JSON.stringify(channel)}`;
  return { code: "FORBIDDEN_CHANNEL", channel, why };
}

/** Whatever a client sent comes back no longer than a name can be. */
function shortened(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}

function unknown(name: string): Refusal {
  const channel = shortened(name);
  const why = `there is no channel ${
    JSON.stringify(channel)
  }; the welcome lists the ones there are`;
  return { code: "UNKNOWN_CHANNEL", channel, why };
}
