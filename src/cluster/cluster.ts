import type { JsonText } from "../protocol/codec.ts";
import type { ErrorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Departure } from "../hub/shared_stream.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { OutageNotice } from "./outage_notice.ts";
import type { ClusterOptions, PublishDraft, PublishReceipt } from "./cluster_options.ts";
import { type ClusterReport, clusterReport } from "./cluster_report.ts";
import { Departures } from "./departures.ts";
import { type Broker, BrokerError } from "./broker.ts";
import type { Claim } from "./entry.ts";
import { ClusterStats } from "./cluster_stats.ts";
import { Follower } from "./follower.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { type Claimed, Leadership, RENEWALS_PER_LEASE } from "./leadership.ts";
import { differences, objection } from "./feeds.ts";
import { Handover } from "./handover.ts";
import { hubIdOf, hubNameOf } from "./hub_id.ts";
import { LeaderWatch } from "./leader_watch.ts";
import { REPEAT_CLAIM_AFTER_MS } from "./stream_writer.ts";
import { Unsaid } from "./unsaid.ts";
import { UnsaidWriter } from "./unsaid_writer.ts";
import { BrokerLink } from "./broker_link.ts";
import type { NewValue } from "../values/value.ts";
import { Replica } from "./replica.ts";
import { type HubPresence, Presence, type Role } from "./presence.ts";
import { ClusterUnreachable } from "./unreachable.ts";
import { StreamPublisher } from "./stream_publisher.ts";

/** How long a hub that cannot do the leader's work lets others do it, in milliseconds. */
const ASIDE_MS = 30_000;

/** What of an entry is not its value, in bytes at most: its head, with the error of a stale value. */
const HEAD_BYTES = 4096;

/** On which a hub asks the leader to poll now. */
const POLL_TOPIC = "poll";

/** How long leaving in good order may take, in milliseconds. */
const LEAVE_MS = 1000;

/**
 * One hub's place among several that share a stream: one of them polls and writes, all of them
 * relay. Without the broker that carries the stream each does for itself what it can.
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
  readonly #leaderWatch: LeaderWatch;
  readonly #unsaid: Unsaid;
  readonly #unsaidWriter: UnsaidWriter;
  readonly #handover: Handover;
  readonly #departures: Departures;
  readonly #id: string;
  /** The broker that is being joined, or is. */
  #broker: Broker | undefined;
  #claimed: Claimed | undefined;
  /** The newest claim the stream has brought. */
  #newestClaim: Claim | undefined;
  #role: Role = "follower";
  /** The term in which this hub leads, or led. */
  #leads: Pick<Claimed, "term" | "epoch"> | undefined;
  /** Whether the hub does for itself; before it first joined, and in an outage's first seconds, not. */
  #isAlone = false;
  #hasJoined = false;
  /** It stops: whatever becomes of the broker, others do the work. */
  #isRetiring = false;
  readonly #settled = Promise.withResolvers<void>();
  /** A leader of before this version was heard while the hub joins. */
  #oldLeader = Promise.withResolvers<void>();
  /** Channels that this hub would feed otherwise than the leader it found. */
  #differs: readonly string[] = [];
  /** Why this hub cannot poll, while it cannot. */
  #cannotPoll: string | undefined;
  /** The epoch that must not be led in again: the stream lost some of it. */
  #brokenEpoch: string | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ClusterOptions) {
    const { clock, hub, open, leaseMs, graceMs, values, isKnown } = options;
    const id = hubIdOf(options.name);
    this.#id = id;
    this.#options = options;
    this.#publisher = new StreamPublisher({
      clock,
      name: id,
      figures: this.figures,
      onPublished: (seq, text) => {
        if (!this.#follower.expect(seq, text)) this.#onNotThere();
      },
    });
    this.#unsaid = new Unsaid(options.unsaid);
    this.#unsaidWriter = new UnsaidWriter({
      clock,
      unsaid: this.#unsaid,
      publisher: this.#publisher,
      epoch: () => hub.epoch,
    });
    this.#leaderWatch = new LeaderWatch({ clock, leaseMs });
    this.#replica = new Replica({
      clock,
      values,
      isKnown,
      isOwn: (entry) =>
        entry.hub === id && isSameLead(this.#leads, entry) && this.#role === "leader",
    });
    this.#outageNotice = new OutageNotice({ clock, hub, graceMs, values });
    this.#follower = new Follower({
      clock,
      stream: hub.stream,
      replica: this.#replica,
      values,
      figures: this.figures,
      onClaim: (claim) => this.#onClaim(claim),
      onLeader: (entry) => this.#leaderWatch.heard(entry),
      hadBefore: (said) => this.#heardBack(said),
      heardAloneBefore: () => this.#unsaid.heardBefore,
      onNotThere: () => this.#onNotThere(),
      onDiverged: ({ from, to }, leader) => {
        this.#log.warning("cluster.diverged", { from, to, leader: hubNameOf(leader) });
        this.#joinAnew("what this hub read of the stream is not what its leader read");
      },
      onOutOfSuccession: (hub) => {
        if (hub === id) this.#leadership.depose("another hub's entry came first");
      },
      onGap: () => this.#unsaidWriter.heardGap(),
      onStartedOver: (why) => {
        this.#log.warning("cluster.started_over", { hub: id, why });
        this.#unsaidWriter.oweGap();
      },
    });
    this.#leadership = new Leadership({
      clock,
      leaseMs,
      hub: id,
      lastOfLeaders: (upTo) => this.#follower.lastOfLeaders(upTo),
      epochAfter: (last) => this.#isAlone || last === this.#brokenEpoch ? undefined : last,
      onClaimed: (claimed) => {
        this.#claimed = claimed;
        this.#leadIfRead();
      },
      onKept: () => this.#publisher.refresh(),
      onDeposed: (why) => this.#onDeposed(why),
    });
    this.#departures = new Departures(clock);
    this.#handover = new Handover({
      clock,
      hub: id,
      probe: (backend) => options.probe(backend, this.#stop.signal),
      backends: () => this.#role === "leader" ? options.backendReports() : undefined,
      resign: (to, { why, forMs }) => void this.#resign(why, { to, forMs }),
      standAside: (forMs) => this.#leadership.standAside(forMs),
    });
    this.#presence = new Presence({
      clock,
      present: () => this.#ownPresence(),
      onAsked: () => this.#publisher.refresh({ isAsked: true }),
      onHeard: (presence, { isOld }) => {
        const { role } = presence;
        if (isOld && role === "leader") this.#oldLeader.resolve();
        this.#handover.heard(presence);
      },
    });
    this.#link = new BrokerLink({
      clock,
      open,
      graceMs,
      join: (broker) => this.#join(broker),
      onJoined: (broker) => this.#onJoined(broker),
      onFailed: () => this.figures.onJoinFailed(),
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

  /** Resolves once the hub has joined, or has given that up and does without. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Why this hub has nothing to show yet; undefined once it has joined, or does without. */
  get notReady(): string | undefined {
    if (this.#hasJoined || this.#isAlone) return undefined;
    return `the cluster was not joined yet: ${this.#link.why}`;
  }

  /** Another configuration was put into force: what kept this hub from leading may be over. */
  configured(): void {
    if (this.#cannotPoll === undefined) return;
    this.#cannotPoll = undefined;
    this.#leadership.standAside(0);
  }

  /** A value of this hub's own polls, for the clients of all hubs. */
  value(channel: string, status: StatusData<JsonText>): void {
    const { hub, values } = this.#options;
    const isLeader = this.#role === "leader";
    // Out of reach of the others, what it finds out is still true for its own clients.
    if (this.#isAlone || (isLeader && this.#broker === undefined)) hub.value(channel, status);
    if (this.#isAlone || !isLeader) return;
    const { called_at_ms = status.cached_at * 1000 } = values.record(channel) ?? {};
    this.#publisher.say(channel, status, called_at_ms);
  }

  /** An error of this hub's own polls, for the clients of all hubs. */
  error(event: ErrorEvent): void {
    if (this.#isAlone) {
      this.#options.hub.error(event);
      this.#replica.note(event);
    } else if (this.#role === "leader") this.#publisher.sayError(event);
  }

  /**
   * Publishes for the clients of all hubs.
   *
   * @param tellAlone Tells this hub's own clients, where it does without the others; its number then.
   * @throws {ClusterUnreachable} If it cannot be said whether the others heard of it.
   */
  async publish(
    { type, data, value, isKept = true }: PublishDraft,
    tellAlone: () => number,
  ): Promise<PublishReceipt> {
    const { clock, hub } = this.#options;
    const timestamp = clock.unixSeconds();
    const draft = { type, timestamp, data, ...(value === undefined ? {} : publishedNow(value)) };
    if (this.#isAlone) {
      // In the same turn: a client that comes later will hear of it when the others do.
      if (isKept) this.#unsaid.add(draft, hub.stream.clientsSoFar);
      return { seq: tellAlone(), shared: false };
    }
    const broker = this.#link.broker;
    if (broker === undefined) throw new ClusterUnreachable(this.#link.why);
    return { seq: await this.#publisher.publish(broker, draft, { epoch: hub.epoch }) };
  }

  /** Entries of this hub's that wait to be written into the stream. */
  get waiting(): number {
    return this.#publisher.waiting;
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
    const connected = this.#link.broker !== undefined;
    return clusterReport({
      role: this.#role,
      id: this.#id,
      leader: this.#newestClaim?.hub,
      connected,
      why: connected ? this.#cannotPoll : this.#link.why,
      unsaid: this.#unsaid.size,
      differs: this.#differs,
      present: this.#presence.hubs(),
    });
  }

  /** Has the hub that polls ask the sources of these channels at once. */
  askToPoll(channels: readonly string[]): void {
    this.#link.broker?.say(POLL_TOPIC, JSON.stringify(channels));
  }

  /** Tells the other hubs of a client that left this one, worth knowing should it come to them. */
  tellDeparture(departure: Departure): void {
    const broker = this.#link.broker;
    if (broker === undefined) return;
    this.#departures.tell(broker, departure, { isOldThere: this.#presence.isOldThere });
  }

  /**
   * Gives up leading and never leads again: another hub can at once. The stream is followed on.
   * Takes a second at most.
   */
  async retire(): Promise<void> {
    this.#isRetiring = true;
    this.#leadership.retire(); // at once: a broker that comes back now finds no leader here
    const broker = this.#link.broker;
    if (broker === undefined) {
      if (this.#role === "leader") this.#role = "follower";
      return;
    }
    const { clock } = this.#options;
    await withDeadline(clock, LEAVE_MS, async () => {
      while (this.#role === "leader" && this.#publisher.waiting > 0) {
        await clock.sleep(LEAVE_MS / 50);
      }
      await this.#leadership.letGo(broker);
      if (this.#role !== "leader") return;
      this.#role = "follower";
      this.#presence.announce(broker);
    });
  }

  /** Leaves in good order. Takes two seconds at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    await this.retire();
    if (this.#link.broker) {
      this.#departures.flush(this.#link.broker);
      this.#presence.sayGoodbye(this.#link.broker);
    }
    this.#stop.abort();
    this.#publisher.stop();
    const { size: entries } = this.#unsaid;
    const isKept = this.#options.unsaid !== undefined;
    if (entries > 0) {
      this.#log.warning("cluster.unsaid_left", { hub: this.#id, entries, kept: isKept });
    }
    await withDeadline(this.#options.clock, LEAVE_MS, () => this.#running);
  }

  async #join(broker: Broker): Promise<void> {
    this.#broker = broker;
    this.#claimed = undefined;
    this.#oldLeader = Promise.withResolvers();
    const survey = await this.#follower.survey(broker);
    this.#brokenEpoch = survey.brokenEpoch;
    try {
      await this.#leadership.tryNow(broker);
      // The leader may be gone: this hub tries to, until it has heard somebody who does.
      void this.#leadership.run(broker).catch((error) =>
        this.#log.error("cluster.failed", { why: String(error) })
      );
      void this.#presence.run(broker);
      await this.#follower.join(broker, survey, {
        onCaughtUp: () => this.#presence.ask(broker),
        isLed: this.#oldLeader.promise,
        objection: (claim) => this.#objection(claim),
        onFollowing: () => {
          this.#isAlone = false;
          this.#options.values.trust("stream");
        },
      });
    } catch (error) {
      // It cannot write, or cannot read: another hub may be better off.
      if (!broker.lost.aborted) await this.#leadership.letGo(broker);
      throw error;
    }
  }

  #onJoined(broker: Broker): void {
    const { hub, stopPolling, values } = this.#options;
    values.maxBytes = Math.max(0, broker.maxEntryBytes - HEAD_BYTES);
    // One that led before the broker was lost may have been replaced meanwhile.
    if (this.#claimed === undefined || !isSameLead(this.#leads, this.#claimed)) {
      this.#role = "follower";
      this.#publisher.stop();
      stopPolling();
    }
    const { leader } = this.report();
    this.#log.info("cluster.joined", { hub: this.#id, role: this.#role, leader, epoch: hub.epoch });
    this.#outageNotice.over(this.#role);
    this.#hasJoined = true;
    this.#settled.resolve();
    void this.#leaderWatch.run(broker);
    this.#departures.learn(broker, hub.stream);
    broker.listen(POLL_TOPIC, (text) => {
      if (this.#role === "leader") this.#options.pollNow(channelsIn(text));
    });
    void this.#unsaidWriter.write(broker);
  }

  /** What NATS acknowledged is not where it said. */
  #onNotThere(): void {
    this.#log.warning("cluster.acknowledged_and_lost", { hub: this.#id });
    this.#joinAnew("what it acknowledged does not stand where it said");
  }

  /**
   * The stream is not what it should be: clients that might have heard of the rest are told of a gap,
   * and the hub joins anew, perhaps to read from a server that keeps another copy.
   */
  #joinAnew(why: string): void {
    this.#unsaidWriter.oweGap();
    this.#broker?.giveUp(new BrokerError(why));
  }

  /** Something this hub said alone, or another did, came through the stream. */
  #heardBack(said: string): number {
    const kept = this.#unsaid.get(said);
    this.#unsaid.remove(said);
    return kept?.hadBefore ?? 0;
  }

  /** Why this hub does not go with that leader: one of before it was configured is no matter. */
  #objection({ hub, feeds = {} }: Claim): string | undefined {
    if (hub === this.#id) return undefined;
    const mine = this.#options.feeds();
    this.#differs = differences(mine, feeds);
    const why = objection(mine, feeds);
    if (why === undefined && this.#differs.length > 0) {
      const leader = hubNameOf(hub);
      this.#log.warning("cluster.config_differs", { leader, channels: this.#differs });
    }
    return why;
  }

  #onClaim(claim: Claim): void {
    this.#newestClaim = claim;
    this.figures.onClaim(claim);
    if (claim.hub === this.#id) this.#leadIfRead();
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
    if (leader !== this.#id || term !== claimed.term) return;
    // Its own claim, repeated. In a stream made anew terms begin again, in another epoch.
    if (this.#role === "leader" && isSameLead(this.#leads, claimed)) return;
    this.#role = "leader";
    this.#leads = claimed;
    this.figures.onTakeover();
    this.#log.info("cluster.leading", { hub: this.#id, term, epoch: claimed.epoch });
    this.#poll().catch((error) => {
      if (this.#leads === claimed && this.#role === "leader") void this.#resign(String(error));
    });
    let readUpTo = claimed.seq;
    this.#publisher.lead(broker, claimed, {
      feeds: this.#options.feeds,
      read: () => {
        const part = this.#follower.readSince(readUpTo + 1);
        readUpTo = part?.to ?? readUpTo;
        return part;
      },
      everyMs: REPEAT_CLAIM_AFTER_MS + Math.ceil(this.#options.leaseMs / RENEWALS_PER_LEASE),
      isValid: () => this.#leadership.isHeld,
      onFenced: () => this.#leadership.depose("the lease ran out, or another hub's entry stands"),
    });
    this.#presence.announce(broker);
  }

  #onDeposed(why: string, to?: string): void {
    this.#claimed = undefined;
    this.#publisher.pause();
    if (this.#role !== "leader") return;
    this.#role = "follower";
    this.#publisher.stop();
    this.#options.stopPolling();
    this.#log.warning("cluster.deposed", {
      hub: this.#id,
      why,
      ...(to === undefined ? {} : { to }),
    });
    const also = to === undefined ? {} : { hands_over_to: to };
    if (this.#broker) this.#presence.announce(this.#broker, also);
  }

  #onLost(): void {
    this.figures.onLoss();
    this.#broker = undefined;
    this.#claimed = undefined;
    // The hub that was to go first is not heard, or cannot be.
    this.#leadership.standAside(0);
    // What waits goes on waiting, and polls go on: this hub may lead again in a moment.
    this.#publisher.pause();
    this.#presence.clear();
    this.#log.warning("cluster.lost", { hub: this.#id, role: this.#role, why: this.#link.why });
  }

  #onGivenUp(): void {
    if (this.#isRetiring) return;
    this.#isAlone = true;
    this.#options.values.maxBytes = Infinity;
    this.#publisher.stop();
    this.#options.hub.stream.leave();
    this.#poll().finally(() => this.#settled.resolve()).then(
      () => {
        if (!this.#isAlone) return;
        this.#role = "alone";
        this.#log.warning("cluster.alone", { hub: this.#id, why: this.#link.why });
      },
      () => {}, // told already; nothing is polled, and every value says that it is old
    );
  }

  /** Polls, and says so if it cannot. */
  async #poll(): Promise<void> {
    try {
      await this.#options.startPolling(this.#replica.backendsOut);
      this.#cannotPoll = undefined;
    } catch (error) {
      this.#cannotPoll = `this hub cannot poll: ${error instanceof Error ? error.message : error}`;
      this.#log.error("cluster.cannot_poll", { hub: this.#id, why: this.#cannotPoll });
      throw error;
    }
  }

  /** Leads no more, for somebody else can do better, and lets others go first for a while. */
  async #resign(why: string, { forMs = ASIDE_MS, to }: { forMs?: number; to?: string } = {}) {
    const broker = this.#broker;
    if (broker === undefined || this.#role !== "leader") return;
    this.#leadership.standAside(forMs);
    this.#onDeposed(why, to);
    await this.#leadership.letGo(broker);
  }

  #ownPresence(): HubPresence {
    const { hub, backendReports } = this.#options;
    const backends = this.#role === "leader" ? { backends: backendReports() } : {};
    const reaches = this.#role === "follower" ? this.#handover.reaches : [];
    return {
      ...{ hub: this.#id, role: this.#role, clients: hub.size, ...backends },
      ...(reaches.length > 0 ? { reaches } : {}),
    };
  }
}

/** What stands around a value that was just published. */
function publishedNow(
  { calledAt: { unixMs }, validForMs }: Pick<NewValue, "calledAt" | "validForMs">,
) {
  return {
    status: { is_stale: false, cached_at: Math.floor(unixMs / 1000), age_ms: 0 },
    called_ms: unixMs,
    ...(validForMs === undefined ? {} : { valid_for_ms: validForMs }),
  };
}

/** The channels that another hub asks to be polled; none if the text is anything else. */
function channelsIn(text: string): string[] {
  try {
    const channels: unknown = JSON.parse(text);
    if (!Array.isArray(channels)) return [];
    return channels.filter((channel) => typeof channel === "string");
  } catch {
    return [];
  }
}

/** Whether a hub that leads, or led, does so in this term. */
function isSameLead(
  leads: Pick<Claimed, "term" | "epoch"> | undefined,
  { term, epoch }: { readonly term?: number; readonly epoch: string },
): boolean {
  return leads !== undefined && leads.term === term && leads.epoch === epoch;
}
