import { json, type JsonText } from "../protocol/codec.ts";
import { type ErrorEvent, errorType } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Departure } from "../hub/resume/shared_stream.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { OutageNotice } from "./outage_notice.ts";
import type { ClusterOptions, ClusterReport } from "./cluster_options.ts";
import { learnDepartures, tellDeparture } from "./departures.ts";
import type { Broker } from "./broker.ts";
import type { Claim } from "./entry.ts";
import { ClusterStats } from "./cluster_stats.ts";
import { Follower } from "./follower.ts";
import { withTimeout } from "../resilience/with_timeout.ts";
import { type Claimed, Leadership } from "./leadership.ts";
import { BrokerLink } from "./broker_link.ts";
import { Replica } from "./replica.ts";
import { type HubPresence, Presence, type Role } from "./presence.ts";
import { ClusterUnreachable } from "./unreachable.ts";
import { StreamPublisher } from "./stream_publisher.ts";

/** How long leaving in good order may take, in milliseconds. */
const LEAVE_MS = 1000;

/**
 * One hub's place among several that share a stream: one of them polls and writes, all of them
 * relay. Without the engine that carries the stream each does for itself what it can.
 */
export class Cluster implements AsyncDisposable {
  /** What was counted since the start. */
  readonly figures = new ClusterStats();
  readonly #options: ClusterOptions;
  readonly #log: Log = logOf("cluster");
  readonly #stop = new AbortController();
  readonly #replica: Replica;
  readonly #outageNotice: OutageNotice;
  readonly #follower: Follower;
  readonly #leadership: Leadership;
  readonly #link: BrokerLink;
  readonly #presence: Presence;
  readonly #publisher: StreamPublisher;
  /** The engine that is being joined, or is. */
  #broker: Broker | undefined;
  #claimed: Claimed | undefined;
  /** The newest claim the stream has brought. */
  #newestClaim: Claim | undefined;
  #role: Role = "alone";
  /** The term in which this hub leads, or led. */
  #leads = 0;
  /** Whether the hub does for itself; before it first joined, and in an outage's first seconds, not. */
  #isAlone = false;
  #hasJoined = false;
  /** The epoch that must not be led in again: the stream lost some of it. */
  #brokenEpoch: string | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ClusterOptions) {
    const { clock, hub, open, name, leaseMs, graceMs, fed } = options;
    this.#options = options;
    this.#publisher = new StreamPublisher({ clock, name, figures: this.figures });
    this.#replica = new Replica({ clock, fed, onOld: (channel) => this.#onOld(channel) });
    this.#outageNotice = new OutageNotice({ clock, hub, graceMs, replica: this.#replica });
    this.#follower = new Follower({
      stream: hub.stream,
      replica: this.#replica,
      figures: this.figures,
      onClaim: (claim) => this.#onClaim(claim),
      onOutOfSuccession: (hub) => {
        if (hub === name) this.#leadership.depose("another hub's words came first");
      },
    });
    this.#leadership = new Leadership({
      clock,
      leaseMs,
      hub: name,
      lastOfLeaders: () => this.#follower.lastOfLeaders,
      epochAfter: (last) => this.#isAlone || last === this.#brokenEpoch ? undefined : last,
      onClaimed: (claimed) => {
        this.#claimed = claimed;
        this.#leadIfRead();
      },
      onKept: () => this.#publisher.refresh(),
      onDeposed: (why) => this.#onDeposed(why),
    });
    this.#presence = new Presence({ clock, present: () => this.#ownPresence() });
    this.#link = new BrokerLink({
      clock,
      open,
      graceMs,
      join: (broker) => this.#join(broker),
      onJoined: (broker) => this.#onJoined(broker),
      onLost: () => this.#onLost(),
      onMissed: (why) => this.#outageNotice.tell(why),
      onGivenUp: () => this.#onGivenUp(),
    });
  }

  /** Begins to look for the others. */
  start(): void {
    this.#running = this.#link.run(this.#stop.signal);
  }

  get role(): Role {
    return this.#role;
  }

  /** Why this hub has nothing to show yet; undefined once it has joined, or does without. */
  get notReady(): string | undefined {
    if (this.#hasJoined || this.#isAlone) return undefined;
    return `the cluster was not joined yet: ${this.#link.why}`;
  }

  /** A value of this hub's own polls, for the clients of all hubs. */
  value(channel: string, status: StatusData<JsonText>): void {
    if (this.#isAlone) {
      this.#options.hub.value(channel, status);
      const { data, ...standing } = status;
      this.#replica.note({ type: channel, status: standing, data });
    } else if (this.#role === "leader") this.#publisher.say(channel, status);
  }

  /** An error of this hub's own polls, for the clients of all hubs. */
  error(event: ErrorEvent): void {
    const { code } = event;
    if (this.#isAlone) {
      this.#options.hub.error(event);
      this.#replica.note({ type: errorType(code), code, data: json(event) });
    } else if (this.#role === "leader") this.#publisher.sayError(event);
  }

  /**
   * Publishes for the clients of all hubs. Returns its number in the stream, undefined if this hub
   * does without the others.
   *
   * @throws {ClusterUnreachable} If it cannot be said whether the others heard of it.
   */
  async publish(
    type: string,
    data: JsonText,
    status?: Omit<StatusData, "data">,
  ): Promise<number | undefined> {
    if (this.#isAlone) return undefined;
    const broker = this.#link.broker;
    if (broker === undefined) throw new ClusterUnreachable(this.#link.why);
    const draft = { type, data, ...(status === undefined ? {} : { status }) };
    return await this.#publisher.publish(broker, draft, this.#options.hub.epoch);
  }

  /** Entries of this hub's that wait to be written into the stream. */
  get waiting(): number {
    return this.#publisher.waiting;
  }

  /** The latest value of a channel as all hubs have it, flagged as it stands now. */
  latest(channel: string): StatusData<JsonText> | undefined {
    return this.#replica.latest(channel);
  }

  /** The leader's word on the backends; undefined where there is none. */
  leadersBackends(): Readonly<Record<string, unknown>> | undefined {
    const newest = this.#newestClaim?.hub;
    // One that was killed is in the roll for a while yet, and calls itself the leader there.
    const leader = this.#presence.hubs()
      .find(({ hub, role }) => newest === undefined ? role === "leader" : hub === newest);
    return leader?.backends;
  }

  report(): ClusterReport {
    const hubs = this.#presence.hubs();
    return {
      role: this.#role,
      hub: this.#options.name,
      connected: this.#link.broker !== undefined,
      clients_connected: hubs.reduce((sum, { clients }) => sum + clients, 0),
      hubs: hubs.map(({ hub, role, clients }) => ({ hub, role, clients })),
    };
  }

  /** Tells the other hubs of a client that left this one, worth knowing should it come to them. */
  tellDeparture(departure: Departure): void {
    if (this.#link.broker) tellDeparture(this.#link.broker, departure);
  }

  /**
   * Gives up leading and never leads again: another hub can at once. The stream is followed on.
   * Takes a second at most.
   */
  async retire(): Promise<void> {
    const broker = this.#link.broker;
    if (broker === undefined) return;
    const { clock } = this.#options;
    await withTimeout(clock, LEAVE_MS, async () => {
      while (this.#role === "leader" && this.#publisher.waiting > 0) {
        await clock.sleep(LEAVE_MS / 50);
      }
      await this.#leadership.resign(broker).catch(() => {}); // then the lease runs out by itself
      if (this.#role !== "leader") return;
      this.#role = "follower";
      this.#presence.announce(broker);
    });
  }

  /** Leaves in good order. Takes two seconds at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    await this.retire();
    if (this.#link.broker) this.#presence.sayGoodbye(this.#link.broker);
    this.#stop.abort();
    this.#publisher.stop();
    this.#replica[Symbol.dispose]();
    await withTimeout(this.#options.clock, LEAVE_MS, () => this.#running);
  }

  async #join(broker: Broker): Promise<void> {
    this.#broker = broker;
    this.#claimed = undefined;
    const survey = await this.#follower.survey(broker);
    this.#brokenEpoch = survey.brokenEpoch;
    await this.#leadership.tryNow(broker);
    await this.#follower.join(broker, survey, () => {
      this.#isAlone = false;
      this.#replica.unreachable = undefined;
    });
  }

  #onJoined(broker: Broker): void {
    const { hub, stopPolling } = this.#options;
    // One that led before the engine was lost may have been replaced meanwhile.
    if (this.#claimed === undefined || this.#leads !== this.#claimed.term) {
      this.#role = "follower";
      this.#publisher.stop();
      stopPolling();
    }
    this.#log.info("cluster.joined", { role: this.#role, epoch: hub.epoch });
    this.#outageNotice.over(this.#role);
    this.#hasJoined = true;
    void this.#leadership.run(broker).catch((error) =>
      this.#log.error("cluster.failed", { why: String(error) })
    );
    learnDepartures(broker, hub.stream);
    void this.#presence.run(broker);
  }

  #onClaim(claim: Claim): void {
    this.#newestClaim = claim;
    this.figures.onClaim(claim);
    if (claim.hub === this.#options.name) this.#leadIfRead();
    else this.#leadership.depose(`hub ${claim.hub} leads`);
  }

  /**
   * Leads once its claim was confirmed to this hub and has come to it through the stream, in either
   * order: then it has had every word of the leader before.
   */
  #leadIfRead(): void {
    const claimed = this.#claimed;
    const broker = this.#broker;
    if (claimed === undefined || broker === undefined) return;
    const { hub: leader, term } = this.#newestClaim ?? {};
    if (leader !== this.#options.name || term !== claimed.term) return;
    if (this.#role === "leader" && this.#leads === term) return; // its own claim, repeated
    this.#role = "leader";
    this.#leads = term;
    this.figures.onTakeover();
    this.#log.info("cluster.leading", { term, epoch: claimed.epoch });
    this.#options.startPolling(this.#replica.inheritance());
    this.#publisher.lead(broker, claimed, {
      isValid: () => this.#leadership.isHeld,
      onFenced: () => this.#leadership.depose("the lease ran out, or another hub's words stand"),
    });
    this.#presence.announce(broker);
  }

  #onDeposed(why: string): void {
    this.#claimed = undefined;
    this.#publisher.pause();
    if (this.#role !== "leader") return;
    this.#role = "follower";
    this.#publisher.stop();
    this.#options.stopPolling();
    this.#log.warning("cluster.deposed", { why });
    if (this.#broker) this.#presence.announce(this.#broker);
  }

  #onLost(): void {
    this.figures.onLoss();
    this.#broker = undefined;
    this.#claimed = undefined;
    // What waits goes on waiting, and polls go on: this hub may lead again in a moment.
    this.#publisher.pause();
    this.#presence.clear();
    this.#log.warning("cluster.lost", { role: this.#role, why: this.#link.why });
  }

  #onGivenUp(): void {
    this.#isAlone = true;
    this.#role = "alone";
    this.#publisher.stop();
    this.#log.warning("cluster.alone", { why: this.#link.why });
    this.#options.hub.stream.leave();
    this.#options.startPolling(this.#replica.inheritance());
  }

  /** A value the stream says nothing of has grown old; alone, the hub's own polls say so. */
  #onOld(channel: string): void {
    if (!this.#isAlone) this.#outageNotice.show(channel);
  }

  #ownPresence(): HubPresence {
    const { name, hub, backendReports } = this.#options;
    const backends = this.#role === "leader" ? { backends: backendReports() } : {};
    return { hub: name, role: this.#role, clients: hub.size, ...backends };
  }
}
