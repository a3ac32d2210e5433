import { Cluster } from "../../src/cluster/cluster.ts";
import type { PublishReceipt } from "../../src/cluster/cluster_options.ts";
import type { Feeds } from "../../src/cluster/feeds.ts";
import { BrokerError } from "../../src/cluster/broker.ts";
import { momentOf } from "../../src/resilience/clock.ts";
import { watchAges } from "../../src/values/age_watch.ts";
import { ValueStore } from "../../src/values/value_store.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { HubBench, text } from "../support/hub_bench.ts";
import { FakeServer } from "./nats/fake_server.ts";

export const LEASE_MS = 5000;
export const GRACE_MS = 5000;

/** What feeds a member's channels unless a test says otherwise. */
const FEEDS: Feeds = { a: "core" };

export interface MemberOptions {
  graceMs?: number;
  feeds?: Feeds;
}

/** One hub of several, on a clock all of them share. */
export class Member implements AsyncDisposable {
  readonly hubs: HubBench;
  readonly cluster: Cluster;
  readonly values: ValueStore;
  readonly #stopWatch = new AbortController();
  isPolling = false;
  /** Channels whose sources it was asked to poll at once. */
  readonly polledNow: string[] = [];
  /** Backends it was told of when it began to poll. */
  inherited: ReadonlySet<string> | undefined;
  readonly clock: FakeClock;

  /** Whether it reaches the backend: else the breaker of a hub that polls is open. */
  reachesCore = true;
  /** Why it cannot poll, should it have to. */
  cannotPoll: string | undefined;
  /** While true, it alone finds no broker. */
  isCutOff = false;

  constructor(
    name: string,
    bench: ClusterBench,
    { graceMs = GRACE_MS, feeds = FEEDS }: MemberOptions = {},
  ) {
    const { clock, server } = bench;
    this.clock = clock;
    this.values = new ValueStore({ clock });
    this.values.configure(
      new Map([["a", { feeder: { kind: "backend", backend: "core" }, staleAfterMs: 15_000 }]]),
    );
    this.hubs = new HubBench({ outboxMessages: 256 }, clock, this.values);
    this.values.subscribe({
      onStanding: ({ channel, cause, status }) => {
        if (cause === "time" && status) this.hubs.hub.value(channel, status);
      },
    });
    const onFailed = (error: unknown) => {
      throw error;
    };
    void watchAges(this.values, { clock, onFailed }, this.#stopWatch.signal);
    this.cluster = new Cluster({
      clock,
      hub: this.hubs.hub,
      name,
      open: (signal) =>
        this.isCutOff ? Promise.reject(new BrokerError("no way there")) : server.open(signal),
      leaseMs: LEASE_MS,
      graceMs,
      values: this.values,
      isKnown: (channel) => ["a", "b"].includes(channel),
      pollNow: (channels) => void this.polledNow.push(...channels),
      startPolling: (backendsOut) => {
        if (this.cannotPoll) return Promise.reject(new Error(this.cannotPoll));
        if (!this.isPolling) this.inherited = new Set(backendsOut);
        this.isPolling = true;
        return Promise.resolve();
      },
      stopPolling: () => this.isPolling = false,
      backendReports: () => ({ core: { state: this.reachesCore ? name : "open" } }),
      feeds: () => feeds,
      probe: () => Promise.resolve(this.reachesCore),
    });
    this.cluster.start();
  }

  get role(): string {
    return this.cluster.role;
  }

  /** Publishes an event; what became of it. */
  publish(n: number): Promise<PublishReceipt> {
    const data = text({ n });
    const tell = () => this.hubs.hub.broadcast("notification", data);
    return this.cluster.publish({ type: "notification", data }, tell);
  }

  /** Polls once, if it is for this hub to do. */
  poll(value: unknown): void {
    if (!this.isPolling) return;
    this.values.put("a", {
      text: text(value),
      calledAt: momentOf(this.clock),
      origin: "poll",
    });
    this.show("a");
  }

  /** Publishes a value, as the server does. */
  publishValue(channel: string, value: unknown): Promise<PublishReceipt> {
    const data = text(value);
    const calledAt = momentOf(this.clock);
    const tell = () => {
      this.values.put(channel, { text: data, calledAt, origin: "publisher" });
      const status = this.values.read(channel);
      return status === undefined ? this.hubs.hub.seq : this.hubs.hub.value(channel, status);
    };
    return this.cluster.publish({ type: channel, data, value: { calledAt } }, tell);
  }

  /** Tells clients of a value as it stands, as a source does that was polled. */
  show(channel: string): void {
    const status = this.values.read(channel);
    if (status) this.cluster.value(channel, status);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopWatch.abort();
    return this.cluster[Symbol.asyncDispose]();
  }
}

/** Hubs of one cluster on a broker in memory and a clock moved by hand. */
export class ClusterBench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly server = new FakeServer(this.clock, { leaseMs: LEASE_MS });
  readonly members: Member[] = [];

  async join(name: string, options: MemberOptions = {}): Promise<Member> {
    const member = new Member(name, this, options);
    this.members.push(member);
    await this.clock.advance(100);
    return member;
  }

  get roles(): string[] {
    return this.members.map(({ role }) => role);
  }

  get pollers(): Member[] {
    return this.members.filter(({ isPolling }) => isPolling);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.members.map((member) => member[Symbol.asyncDispose]());
    await this.clock.advance(5000);
    await Promise.all(ended);
    for (const { hubs } of this.members) hubs.hub[Symbol.dispose]();
    await this.clock.advance(0);
    assertEquals(this.clock.sleeping, 0, "somebody still sleeps");
    assertEquals(this.server.brokers.size, 0, "every connection was closed");
  }
}

/** Three of them, the first of which leads. */
export async function three() {
  const bench = new ClusterBench();
  const one = await bench.join("one");
  const two = await bench.join("two");
  const others = await bench.join("three");
  return { bench, one, two, three: others };
}
