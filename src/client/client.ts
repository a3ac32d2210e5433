import { channelKind, isStatusChannel, RESERVED_TYPES } from "../protocol/channel.ts";
import type { ErrorEvent } from "../protocol/error_event.ts";
import type {
  Frame,
  HeartbeatData,
  NotificationData,
  SubscribedFrame,
  WelcomeData,
  WelcomeFrame,
} from "../protocol/message.ts";
import type { StatusData } from "../protocol/status_data.ts";
import { hubAddress } from "./address.ts";
import { type ChannelState, ChannelStates, HUB_UNREACHABLE } from "./channel_states.ts";
import type { ChannelStore } from "./channel_store.ts";
import { Emitter, type Listener, type ListenOptions } from "./emitter.ts";
import {
  type ClientEvents,
  ClientStoppedError,
  type ConnectionState,
  type EventChannels,
} from "./events.ts";
import { type EventQueue, MAX_WAITING_EVENTS, MAX_WAITING_VALUES } from "./event_queue.ts";
import { Reconnector, type ReconnectorHost } from "./reconnector.ts";
import { opened } from "./opened.ts";
import { checkToken, type ClientOptions, resolveOptions, type TokenSource } from "./options.ts";
import type { ResumePoint } from "./position.ts";
import { Subscribers } from "./subscribers.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface ReconnectOptions {
  /** The token from now on. */
  token?: TokenSource;
}

export interface EventsOptions {
  /** Events that may wait for the reader; when full, the oldest is dropped. Default 256. */
  bound?: number;
}

/** Why a channel has no value although the hub offers it. */
const NO_VALUE_YET = "no value yet";

/**
 * A client of one hub. It starts connecting when made, comes back when the connection is lost, and
 * knows for every channel whether its value is live. `Values` may name the type of each status
 * channel's value; it is not checked at run time.
 *
 * @example
 * ```ts
 * await using client = new HoldfastClient("https://hub.example.com", { token });
 * client.on("state", (state) => console.log(state.kind));
 * for await (const state of client.watch("system_status")) show(state);
 * ```
 *
 * @throws {RangeError} If the URL, a channel, the token or a number is not acceptable.
 * @throws {TypeError} If the runtime has no WebSocket and none was given.
 */
export class HoldfastClient<Values extends object = Record<string, unknown>>
  implements AsyncDisposable {
  readonly #emitter = new Emitter<ClientEvents<Values>>();
  readonly #readers = new Subscribers();
  readonly #states: ChannelStates;
  /** The state of each channel that was told last: what is told next is another one. */
  readonly #told = new Map<string, ChannelState>();
  readonly #wanted: Subscriptions;
  readonly #link: Reconnector;
  /** By channel. Holds as many as were asked for by name. */
  readonly #stores = new Map<string, ChannelStore>();

  constructor(url: string | URL, options: ClientOptions = {}) {
    const { token, channels } = options;
    const address = hubAddress(url);
    if (typeof token !== "function") checkToken(token);
    const resolved = resolveOptions(options);
    this.#wanted = new Subscriptions(channels, (message) => this.#link.send(message));
    this.#states = new ChannelStates(resolved.clock);
    const host: ReconnectorHost = {
      channels: () => this.#wanted.name(),
      onState: (state) => this.#onState(state),
      onWelcome: (frame, before) => this.#onWelcome(frame, before),
      onFrame: (frame) => this.#onFrame(frame),
      onLost: (quietForMs) => this.#onLost(quietForMs),
    };
    this.#link = new Reconnector(address, host, { ...resolved, token });
  }

  get state(): ConnectionState {
    return this.#link.state;
  }

  /** The channels known by name: those the hub sends and those a value came on. */
  get channels(): (keyof Values & string)[] {
    const names = new Set([...this.#wanted.granted, ...this.#states.channels]);
    const wanted = [...names].filter((channel) => this.#wanted.wants(channel));
    return wanted as (keyof Values & string)[];
  }

  /** Calls `listener` at every event `type`; the function returned ends that. */
  on<Type extends keyof ClientEvents>(
    type: Type,
    listener: Listener<ClientEvents<Values>[Type]>,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(type, listener, options);
  }

  /**
   * Resolves with the welcome once connected; at once if it is.
   *
   * @throws {ClientStoppedError} If the client stops first.
   * @throws {Error} If it is closed first.
   * @throws The signal's reason, when it is aborted.
   */
  opened(options: { signal?: AbortSignal } = {}): Promise<WelcomeData> {
    return opened(this, options.signal);
  }

  /** A status channel as it stands now, with its age. */
  read<Channel extends keyof Values & string>(channel: Channel): ChannelState<Values[Channel]> {
    return this.#states.read(channel, this.#whyNever(channel)) as ChannelState<Values[Channel]>;
  }

  /**
   * A status channel as views subscribe to it: two functions that need no `this`, the same object
   * for the same channel.
   *
   * @throws {RangeError} If it is no status channel.
   */
  channel<Channel extends keyof Values & string>(
    channel: Channel,
  ): ChannelStore<Values[Channel]> {
    if (!isStatusChannel(channel)) {
      throw new RangeError(`Cannot show "${channel}" as it is not a status channel`);
    }
    const known = this.#stores.get(channel);
    if (known !== undefined) return known as ChannelStore<Values[Channel]>;
    const store: ChannelStore<Values[Channel]> = {
      snapshot: () => this.read(channel),
      subscribe: (listener) => {
        const tell = () => listener(this.read(channel));
        // Not the status event alone: why a channel has no value changes with the connection.
        const tellWhyNot = () => this.read(channel).kind === "never_seen" && tell();
        const ends = [
          this.on("status", (state) => state.channel === channel && tell()),
          this.on("state", tellWhyNot),
          this.on("welcome", tellWhyNot),
          this.on("frame", ({ type }) => type === "subscribed" && tellWhyNot()),
        ];
        return () => ends.forEach((end) => end());
      },
    };
    this.#stores.set(channel, store);
    return store;
  }

  /**
   * A status channel as it stands and whenever that changes. A reader who is slow skips to the
   * latest.
   *
   * @throws {RangeError} If it is no status channel, or not subscribed to.
   */
  watch<Channel extends keyof Values & string>(
    channel: Channel,
  ): EventQueue<ChannelState<Values[Channel]>> {
    if (!isStatusChannel(channel)) {
      throw new RangeError(`Cannot watch "${channel}" as it is not a status channel`);
    }
    this.#checkWanted("watch", channel);
    const inbox = this.#readers.open<ChannelState<Values[Channel]>>(channel, MAX_WAITING_VALUES);
    inbox.push(() => this.read(channel));
    return inbox;
  }

  /**
   * What comes on an event channel, in order. For a reader who is slow up to `bound` events wait;
   * then the oldest is dropped and counted in the inbox's `dropped`.
   *
   * @throws {RangeError} If it is no event channel, or not subscribed to, or the bound is no
   * positive integer.
   */
  events<Channel extends keyof EventChannels>(
    channel: Channel,
    options: EventsOptions = {},
  ): EventQueue<EventChannels[Channel]> {
    const { bound = MAX_WAITING_EVENTS } = options;
    if (channelKind(channel) === "status") {
      throw new RangeError(`Cannot read events of "${channel}": use watch() for a status channel`);
    }
    this.#checkWanted("read events of", channel);
    return this.#readers.open<EventChannels[Channel]>(channel, bound);
  }

  /** @throws {RangeError} If a name is not a channel's. */
  subscribe(...channels: string[]): void {
    this.#wanted.add(channels);
  }

  /**
   * Leaves channels; their values stay readable, as stale ones.
   *
   * @throws {RangeError} If a name is not a channel's.
   */
  unsubscribe(...channels: string[]): void {
    this.#wanted.remove(channels);
    for (const channel of channels) {
      this.#states.markStale(channel, "unsubscribed");
      this.#tell(channel);
    }
  }

  /**
   * Connects again now: ends a wait, replaces an open connection, goes on after a stop. After a
   * stop without a new token the usual backoff stands between.
   *
   * @throws {RangeError} If the token is not acceptable.
   */
  reconnect(options: ReconnectOptions = {}): void {
    const { token } = options;
    if (typeof token !== "function") checkToken(token);
    this.#link.reconnect(token);
  }

  /** Closes for good and ends all iterators; resolves once nothing is left open. Idempotent. */
  close(): Promise<void> {
    return this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onState(state: ConnectionState): void {
    this.#readers.fail(undefined);
    this.#emitter.emit("state", state);
    if (this.state !== state) return; // a listener has already gone on
    if (state.kind === "stopped") {
      this.#readers.fail(new ClientStoppedError(state.code, state.reason));
    } else if (state.kind === "closed") this.#readers.finish();
  }

  #onWelcome(frame: WelcomeFrame, before: ResumePoint | undefined): void {
    const { data } = frame;
    this.#wanted.welcome(data.channels);
    this.#emitter.emit("welcome", data);
    if (before !== undefined && data.gap) {
      const { since, epoch } = before;
      this.#emitter.emit("gap", { since, epoch, isNewEpoch: epoch !== data.epoch });
    }
    this.#emitter.emit("frame", frame);
    this.#changeAll("no value since the reconnection");
  }

  #onLost(quietForMs: number): void {
    this.#wanted.lost();
    this.#changeAll(HUB_UNREACHABLE, quietForMs);
  }

  /** Tells readers and listeners of all channels wanted that they are not live, and why. */
  #changeAll(why: string, agoMs?: number): void {
    for (const channel of new Set([...this.#states.channels, ...this.#readers.channels])) {
      if (!isStatusChannel(channel) || !this.#wanted.wants(channel)) continue;
      this.#states.markStale(channel, why, agoMs);
      this.#tell(channel);
    }
  }

  #onFrame(frame: Frame): void {
    const { type } = frame;
    if (type === "subscribed") {
      this.#wanted.grant((frame as SubscribedFrame).data.channels);
    }
    if (!this.#isShown(frame)) return;
    switch (channelKind(type)) {
      case "event": {
        const data = frame.data as NotificationData;
        this.#emitter.emit("notification", data);
        this.#readers.push(type, () => data);
        break;
      }
      case "hub":
        this.#onHubFrame(type, frame.data as HeartbeatData | ErrorEvent);
        break;
      case "status":
        if (!isStatusChannel(type)) break;
        this.#states.store(type, frame.data as StatusData);
        this.#tell(type);
    }
    this.#emitter.emit("frame", frame);
  }

  #onHubFrame(type: string, data: HeartbeatData | ErrorEvent): void {
    if (type === "heartbeat") this.#emitter.emit("heartbeat", data as HeartbeatData);
    else {
      this.#emitter.emit("error", data as ErrorEvent);
      if (type !== "error") this.#readers.push("error", () => data);
    }
    this.#readers.push(type, () => data);
  }

  /** Whether the user is to see this frame: it was asked for, or is an error meant for us alone. */
  #isShown(frame: Frame): boolean {
    const { type, seq, data } = frame;
    if (this.#wanted.wants(type) || (RESERVED_TYPES as readonly string[]).includes(type)) {
      return true;
    }
    if (type === "heartbeat" || channelKind(type) !== "hub") return false;
    const { code, data: about } = data as ErrorEvent;
    if (code === "SERVER_SHUTDOWN") return true;
    return seq === undefined && !this.#wanted.isOwnBusiness(about?.["channel"]);
  }

  /** Tells of a channel, if it has changed since it was told of. */
  #tell(channel: string): void {
    const state = this.#states.read(channel, this.#whyNever(channel));
    if (this.#told.get(channel) === state) return;
    this.#told.set(channel, state);
    this.#readers.push(channel, () => this.#states.read(channel, this.#whyNever(channel)));
    this.#emitter.emit("status", state as ClientEvents<Values>["status"]);
  }

  #whyNever(channel: string): string {
    if (!this.#wanted.wants(channel)) return "not subscribed";
    if (this.state.kind !== "open") return HUB_UNREACHABLE;
    return this.#wanted.granted.has(channel) ? NO_VALUE_YET : "the hub does not offer it";
  }

  #checkWanted(doing: string, channel: string): void {
    if (this.#wanted.wants(channel)) return;
    throw new RangeError(
      `Cannot ${doing} "${channel}" as it is not subscribed to: ` +
        "name it in 'channels', or call subscribe() first",
    );
  }
}
