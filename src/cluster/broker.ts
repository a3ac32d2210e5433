/** What a hub needs of the broker that carries the shared stream; NATS is one. */

/** The shared stream as it stands. */
export interface StreamState {
  /** Names this life of the stream: one that was deleted and made anew has another. */
  readonly id: string;
  /** The oldest entry there is, or the number of the next one if there is none. */
  readonly first: number;
  /** The newest entry there ever was; 0 before the first. */
  readonly last: number;
  /** Bytes of all entries there are. */
  readonly bytes: number;
}

/** An entry with the number the stream gave it. */
export interface Stored {
  readonly seq: number;
  readonly text: string;
}

export interface AppendOptions {
  /** Leaders' entries can be fenced; anybody's cannot. */
  as: "leader" | "anyone";
  /** Names the entry: appended again under the same name within two minutes, it is stored once. */
  id: string;
  /**
   * Stored only if the newest leader's entry has this number, as far as the broker can tell: readers
   * look for themselves.
   */
  fence?: number;
}

/** What became of an entry. */
export type Appended =
  | { readonly kind: "stored"; readonly seq: number }
  /** A leader's entry this hub did not know of stands in the stream. */
  | { readonly kind: "fenced" }
  /** The broker takes no entries of that size. */
  | { readonly kind: "too_large"; readonly maxBytes: number };

/** The right to lead, for as long as it is renewed. */
export interface Lease {
  /** Takes it if nobody has it; its term then, undefined if somebody does. */
  take(holder: string): Promise<number | undefined>;
  /** Keeps it; false if it is lost. */
  renew(): Promise<boolean>;
  /** Gives it back, so that another hub need not wait for its end. */
  release(): Promise<void>;
}

/** The last good value of each channel, for hubs that join later. */
export interface LatestValues {
  /** By channel; the number is 0 where it is of another life of the stream. */
  all(): Promise<Map<string, Stored>>;
  /** Keeps a value unless a newer one is there already. */
  put(channel: string, seq: number, text: string): Promise<void>;
}

/**
 * One connection to the broker. Every call has a deadline and rejects with {@linkcode BrokerError}
 * if the broker does not do its part in time.
 */
export interface Broker extends AsyncDisposable {
  /** Aborted when the broker cannot be reached any more; the reason says why. */
  readonly lost: AbortSignal;
  /** Most bytes of an entry that the broker takes. */
  readonly maxEntryBytes: number;
  readonly lease: Lease;
  readonly latest: LatestValues;
  state(): Promise<StreamState>;
  /** The newest entry any leader wrote; undefined if there is none. */
  newestOfLeaders(): Promise<Stored | undefined>;
  append(text: string, options: AppendOptions): Promise<Appended>;
  /** Reads the stream from this number on, in order, until the connection is lost. */
  read(from: number, onEntry: (entry: Stored) => void): Promise<void>;
  /** Says something to all hubs that listen now; it is not kept. */
  say(topic: string, text: string): void;
  /** Hears what is said on a topic. */
  listen(topic: string, onText: (text: string) => void): void;
  /** Finds that the broker is of no use to this hub, though it may well be connected. */
  giveUp(reason: BrokerError): void;
  /** Told when somebody gave the lease back. */
  onLeaseFreed(told: () => void): Promise<void>;
}

/** Opens a connection to the broker. */
export type OpenBroker = (signal: AbortSignal) => Promise<Broker>;

/** The broker did not do what was asked of it. */
export class BrokerError extends Error {
  override readonly name: string = "BrokerError";
}
