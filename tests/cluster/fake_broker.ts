import {
  type Appended,
  type AppendOptions,
  type Broker,
  BrokerError,
  type LatestValues,
  type Lease,
  type Stored,
  type StreamState,
} from "../../src/cluster/broker.ts";
import type { FakeServer } from "./nats/fake_server.ts";

/** One hub's connection to a {@linkcode FakeServer}, with failures to switch on. */
export class FakeBroker implements Broker {
  readonly #server: FakeServer;
  readonly #lost = new AbortController();
  readonly #readers: { next: number; readonly onEntry: (entry: Stored) => void }[] = [];
  readonly #listeners = new Map<string, ((text: string) => void)[]>();
  readonly #onFreed: (() => void)[] = [];
  #term: number | undefined;
  /** While true, nothing is answered: every call fails as after its deadline. */
  isUnanswered = false;
  /** While true, entries are stored but their writer hears nothing of it. */
  isAmbiguous = false;
  /** While true, what is stored reaches no reader of this connection. */
  isDeaf = false;
  /** Appends that were asked for. */
  appends = 0;

  constructor(server: FakeServer) {
    this.#server = server;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get maxEntryBytes(): number {
    return this.#server.maxBytes;
  }

  readonly lease: Lease = {
    take: async (holder) => {
      await this.#answered();
      return this.#term = this.#server.takeLease(holder);
    },
    renew: async () => {
      await this.#answered();
      this.#term = this.#term === undefined ? undefined : this.#server.renewLease(this.#term);
      return this.#term !== undefined;
    },
    release: async () => {
      await this.#answered();
      if (this.#term !== undefined) this.#server.releaseLease(this.#term);
      this.#term = undefined;
    },
  };

  readonly latest: LatestValues = {
    all: async () => {
      await this.#answered();
      const { latest, state } = this.#server;
      return new Map(
        [...latest].map(([channel, { seq, text, id }]) =>
          [channel, { seq: id === state.id ? seq : 0, text }] as const
        ),
      );
    },
    put: async (channel, seq, text) => {
      await this.#answered();
      const { latest, state: { id } } = this.#server;
      const there = latest.get(channel);
      if (there?.id !== id || there.seq < seq) latest.set(channel, { seq, text, id });
    },
  };

  async state(): Promise<StreamState> {
    await this.#answered();
    return this.#server.state;
  }

  async newestOfLeaders(): Promise<Stored | undefined> {
    await this.#answered();
    return this.#server.newestOfLeaders;
  }

  async append(text: string, options: AppendOptions): Promise<Appended> {
    this.appends += 1;
    await this.#answered();
    const appended = this.#server.store(text, options);
    if (this.isAmbiguous) throw new BrokerError("no answer in time");
    return appended;
  }

  async read(from: number, onEntry: (entry: Stored) => void): Promise<void> {
    await this.#answered();
    const reader = { next: from, onEntry };
    this.#readers.push(reader);
    if (this.#server.isMute) return;
    for (const entry of this.#server.entries) this.#handTo(reader, entry);
  }

  say(topic: string, text: string): void {
    if (this.lost.aborted) return;
    for (const broker of this.#server.brokers) {
      if (broker.overhear(topic, text)) this.#server.saidAndHeard += 1;
    }
  }

  listen(topic: string, onText: (text: string) => void): void {
    this.#listeners.set(topic, [...this.#listeners.get(topic) ?? [], onText]);
  }

  async onLeaseFreed(told: () => void): Promise<void> {
    await this.#answered();
    this.#onFreed.push(told);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.lose("closed by this hub");
    return Promise.resolve();
  }

  /** Loses the connection. */
  lose(why: string): void {
    this.giveUp(new BrokerError(why));
  }

  giveUp(reason: BrokerError): void {
    this.#server.brokers.delete(this);
    this.#lost.abort(reason);
  }

  /** For the server: an entry was stored. */
  hand(entry: Stored): void {
    if (this.isDeaf || this.#server.isMute) return;
    for (const reader of this.#readers) this.#handTo(reader, entry);
  }

  /** Hands all there is to readers that have not had it. */
  handAll(): void {
    for (const entry of this.#server.entries) this.hand(entry);
  }

  /** For the server: something was said. */
  overhear(topic: string, text: string): boolean {
    const listeners = this.#listeners.get(topic) ?? [];
    for (const listener of listeners) listener(text);
    return listeners.length > 0;
  }

  /** For the server: the lease was given back. */
  tellFreed(): void {
    for (const told of this.#onFreed) told();
  }

  /** Entries come a little later than they are stored, and in order. */
  #handTo(reader: { next: number; onEntry: (entry: Stored) => void }, entry: Stored): void {
    if (entry.seq < reader.next) return;
    reader.next = entry.seq + 1;
    this.#server.read += 1;
    queueMicrotask(() => {
      if (!this.lost.aborted) reader.onEntry(entry);
    });
  }

  async #answered(): Promise<void> {
    await Promise.resolve();
    if (this.lost.aborted) throw new BrokerError("connection closed");
    if (this.isUnanswered) throw new BrokerError("no answer in time");
  }
}
