import type { SharedFrame, SharedStream } from "../hub/shared_stream.ts";
import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { catchUp, type Numbered } from "./catch_up.ts";
import { type Broker, BrokerError, type Stored, type StreamState } from "./broker.ts";
import { type Broadcast, type Claim, decodeEntry, type Entry } from "./entry.ts";
import { Contradiction } from "./contradiction.ts";
import { ClusterStats } from "./cluster_stats.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Replica } from "./replica.ts";
import { LeaderChain, type LeaderChainState } from "./leader_chain.ts";
import { type StreamPart, StreamSum, sumOf } from "./stream_sum.ts";

export interface FollowerOptions {
  clock: Clock;
  /** The hub's end of the stream. */
  stream: SharedStream;
  replica: Replica;
  values: Pick<ValueStore, "read">;
  /** Where it is counted. Default: nowhere that anybody looks. */
  figures?: ClusterStats;
  /** Somebody leads from now on, perhaps this hub. */
  onClaim: (claim: Claim) => void;
  /** A leader's entry that counts came through the stream; told as it is read. */
  onLeader: (entry: Entry) => void;
  /** Up to which of this hub's clients, as they are counted, have had what it said while alone. */
  hadBefore: (said: string) => number;
  /** The same for all of what it said alone and the stream does not have yet. */
  heardAloneBefore: () => number;
  /** What was acknowledged to this hub does not stand in the stream. */
  onNotThere: () => void;
  /** The leader has read something else than this hub. */
  onDiverged: (part: StreamPart, leader: string) => void;
  /** This hub wrote as a leader and was not the one: its entries do not count. */
  onOutOfSuccession: (hub: string) => void;
  /** Somebody told the clients of all hubs of a gap. */
  onGap: () => void;
  /** It joined as a newcomer, for what it had read before is not what the stream holds. */
  onStartedOver: (why: string) => void;
}

/** How far this hub's clients have been brought. */
interface Seen {
  readonly streamId: string;
  readonly epoch: string;
  readonly seq: number;
  /** Which of the leaders' entries up to there count. */
  readonly chain: LeaderChainState;
}

/** What a hub finds when it comes to the stream. */
export interface Survey {
  readonly state: StreamState;
  /** The stream it knew, with all it has not had yet. */
  readonly goesOn: boolean;
  /** The epoch it knew goes on in a stream that lost something of it: its numbers are worthless. */
  readonly brokenEpoch: string | undefined;
  /** Why what this hub has read is not what this very stream holds; undefined if it is. */
  readonly contradiction: string | undefined;
}

/**
 * How long it may take to read the part of the stream that was missed and to hear a leader, in
 * milliseconds.
 */
export const CATCH_UP_MS = 10_000;

/**
 * Bytes of the stream that are read on joining. What stands before them is not read: the last values
 * are kept beside the stream, and clients that would resume from there are told of a gap.
 */
export const CATCH_UP_BYTES = 32 * 1024 * 1024;

/** After so many failures to read what was missed it is left out, and a gap is told. */
const MAX_READS_FAILED = 2;

/** Things said alone whose names are remembered, so that none is told twice; the oldest go first. */
const MAX_NAMES = 4096;

export interface JoinOptions {
  /** Called when all that is there was read: a leader's next entry is proof that the broker works. */
  onCaughtUp: () => void;
  /** Resolves if a leader of before this version, which writes no word when asked, says that it is there. */
  isLed: Promise<void>;
  /** Why this hub does not go with that leader; undefined if it does. */
  objection: (claim: Claim) => string | undefined;
  /** Called in the moment in which the hub turns to the stream. */
  onFollowing: () => void;
}

/**
 * Follows the shared stream: finds this hub's place in it, brings its clients what they missed,
 * and relays what is said from then on.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #figures: ClusterStats;
  readonly #log: Log = logOf("cluster");
  #seen: Seen | undefined;
  readonly #leaderChain = new LeaderChain();
  readonly #names = new Set<string>();
  readonly #sum = new StreamSum();
  /** What was read behind a hole, until all was that is there: no more than the stream holds. */
  #late: { readonly entries: Numbered[]; upTo: number } | undefined;
  #streamId = "";
  /** Times in a row that what there was to catch up on could not be read. */
  #readsFailed = 0;
  readonly #contradiction = new Contradiction();

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#figures = options.figures ?? new ClusterStats();
  }

  /**
   * Number of the last leaders' entry that counts; undefined if none is known.
   *
   * @param upTo An entry this hub has to have read for that. Default: whatever it has read.
   */
  lastOfLeaders(upTo = 0): number | undefined {
    return upTo <= this.#sum.last ? this.#leaderChain.last : undefined;
  }

  /** Looks at the stream, and takes over the last good values that are kept beside it. */
  async survey(broker: Broker): Promise<Survey> {
    const { replica } = this.#options;
    const state = await broker.state();
    const seen = this.#seen;
    const contradiction = this.#contradiction.judge(seen, state);
    const isSound = seen?.streamId === state.id && contradiction === undefined;
    const goesOn = isSound && seen !== undefined && seen.seq + 1 >= state.first;
    if (seen !== undefined && !isSound) {
      replica.renumber();
      this.#sum.restart();
    }
    // What was read and not brought to clients, in an attempt that failed, is read again.
    if (goesOn && seen !== undefined) {
      this.#leaderChain.restore(seen.chain);
      this.#sum.goBackTo(seen.seq);
    } else this.#leaderChain.restart(state.first);
    for (const [channel, { seq, text }] of await broker.latest.all()) {
      const entry = decodeEntry(text);
      if (entry?.kind === "broadcast" && entry.type === channel) replica.hear(seq, entry);
    }
    return { state, goesOn, brokenEpoch: isSound ? undefined : seen?.epoch, contradiction };
  }

  /**
   * Goes on where this hub left off, or starts with what comes next, once a leader was heard: until
   * then nobody can tell whether anything will come.
   *
   * @throws {BrokerError} If the stream cannot be read, or nobody leads.
   */
  async join(
    broker: Broker,
    { goesOn, state, contradiction }: Survey,
    { onCaughtUp, isLed, objection, onFollowing }: JoinOptions,
  ): Promise<void> {
    const { stream, replica } = this.#options;
    const seen = this.#seen;
    const now = await broker.state();
    const { id, last } = now;
    const newest = await broker.newestOfLeaders();
    // What came since the survey is news, this hub's own claim among it.
    const deliverFrom = (goesOn && seen ? seen.seq : state.last) + 1;
    const hasPast = goesOn && seen !== undefined && stream.remembers(seen.epoch);
    const tail = this.#readsFailed < MAX_READS_FAILED ? tailOf(now) : state.last + 1;
    const readFrom = Math.max(hasPast ? deliverFrom : now.first, tail);
    // The last entry this hub had is read again: in its place may stand another, where servers lost
    // what they had not all stored and went on.
    const isCompared = hasPast && readFrom === deliverFrom && readFrom > now.first &&
      this.#readsFailed === 0;
    const sumOfSeen = goesOn && seen ? this.#sum.at(seen.seq) : undefined;
    const entries: Numbered[] = [];
    this.#late = undefined;
    let isLive = false;
    const caughtUp = Promise.withResolvers<void>();
    const led = Promise.withResolvers<void>();
    if (readFrom > last && !isCompared) caughtUp.resolve();
    if (!hasPast || readFrom > deliverFrom) this.#leaderChain.restart(readFrom);
    let next = readFrom;
    let isPast = contradiction !== undefined;
    let otherwise: string | undefined;
    await broker.read(isCompared ? readFrom - 1 : readFrom, (stored) => {
      const isSeen = sumOfSeen !== undefined && stored.seq === seen?.seq;
      if (isSeen && sumOf(stored.seq, stored.text) !== sumOfSeen) {
        otherwise = this.#contradiction.onOther(stored.seq);
      }
      if (otherwise !== undefined || (stored.seq < readFrom && stored.seq >= last)) {
        caughtUp.resolve();
      }
      if (otherwise !== undefined || stored.seq < readFrom) return;
      // Of two leaders' lines that the past holds, the one that goes on may be either.
      if (stored.seq > next || (isPast && stored.seq > state.last)) {
        this.#leaderChain.skipTo(stored.seq);
      }
      isPast &&= stored.seq <= state.last;
      next = stored.seq + 1;
      const numbered = { seq: stored.seq, entry: this.#decode(stored) };
      if (!this.#sum.add(stored.seq, stored.text)) this.#options.onNotThere();
      if (isLive) this.#hear(numbered, broker);
      else entries.push(numbered);
      if (stored.seq >= last) caughtUp.resolve();
      if (stored.seq > state.last && isOfLeader(numbered.entry)) led.resolve();
    });
    this.#readsFailed += 1; // unless it goes well
    await this.#inTime(caughtUp.promise, broker, "the stream could not be read to its end");
    this.#readsFailed = 0;
    if (otherwise !== undefined) throw new BrokerError(otherwise);
    onCaughtUp();
    await this.#inTime(
      Promise.race([led.promise, isLed]),
      broker,
      "no hub leads, or what it says does not arrive",
    );
    const claim = entries.findLast(({ seq, entry }) =>
      seq > state.last && entry?.kind === "claim" && entry.feeds !== undefined
    )?.entry;
    const why = claim?.kind === "claim" ? objection(claim) : undefined;
    if (why !== undefined) throw new BrokerError(why);
    this.#streamId = id;
    const newestEpoch = newest && decodeEntry(newest.text)?.epoch;
    const { position, startsAfter, past, missed, isBroken } = catchUp(entries, {
      deliverFrom,
      readFrom,
      epochOtherwise: (goesOn ? seen?.epoch : newestEpoch) ?? crypto.randomUUID(),
    });
    const hasGap = seen !== undefined && (!goesOn || isBroken);
    if (hasGap) this.#figures.onGap();
    onFollowing();
    // What is kept beside the stream are good values: only the stream says what became of them.
    for (const { seq, entry } of entries) {
      if (seq < deliverFrom && entry?.kind === "broadcast") replica.hear(seq, entry);
    }
    const writtenUpTo = entries.at(-1)?.seq ?? last;
    const heardAloneBefore = this.#options.heardAloneBefore();
    stream.follow(position, { startsAfter, hasGap, writtenUpTo, heardAloneBefore });
    for (const { seq, entry } of past) {
      if (entry?.kind === "broadcast") stream.remember(frameOf(seq, entry));
    }
    const at = Math.max(deliverFrom - 1, missed.length === 0 ? position.seq : 0);
    this.#saw(position.epoch, at);
    for (const { seq, entry } of missed) this.#take(seq, entry);
    isLive = true;
    if (contradiction === undefined) return;
    this.#contradiction.settled();
    this.#options.onStartedOver(contradiction);
  }

  async #inTime(done: Promise<void>, { lost }: Broker, otherwise: string): Promise<void> {
    // A connection that is lost meanwhile says why by itself.
    const { isLate } = await withDeadline(
      this.#options.clock,
      CATCH_UP_MS,
      () => done,
      { signal: lost },
    );
    if (isLate) throw new BrokerError(otherwise);
  }

  /** What this hub has read since this number, as far as it read all of it. */
  readSince(seq: number): StreamPart | undefined {
    return this.#sum.since(seq);
  }

  /** Something was acknowledged at this place. False if another entry was read there. */
  expect(seq: number, text: string): boolean {
    return this.#sum.expect(seq, text);
  }

  #hear(numbered: Numbered, broker: Broker): void {
    const { seq, entry } = numbered;
    const due = (this.#seen?.seq ?? seq - 1) + 1;
    if (this.#late !== undefined) {
      this.#late.entries.push(numbered);
      if (seq >= this.#late.upTo) this.#makeUp();
    } else if (seq !== due) void this.#fallBehind(numbered, broker);
    else this.#take(seq, entry);
  }

  /**
   * It was read too slowly: what stands between is no longer kept. There may be more such holes in what
   * is on its way, so clients are told once all that is there was read.
   */
  async #fallBehind(first: Numbered, broker: Broker): Promise<void> {
    this.#late = { entries: [first], upTo: Infinity };
    const last = await broker.state().then(({ last }) => last, () => 0);
    if (this.#late === undefined || broker.lost.aborted) return;
    this.#late.upTo = last;
    if ((this.#late.entries.at(-1)?.seq ?? 0) >= last) this.#makeUp();
  }

  #makeUp(): void {
    const { entries = [] } = this.#late ?? {};
    this.#late = undefined;
    const { epoch = "", seq = 0 } = this.#seen ?? {};
    const from = { deliverFrom: seq + 1, readFrom: seq + 1, epochOtherwise: epoch };
    const { position, startsAfter, missed } = catchUp(entries, from);
    this.#figures.onGap();
    this.#options.stream.follow(position, { startsAfter, hasGap: true });
    for (const each of missed) this.#take(each.seq, each.entry);
  }

  #take(seq: number, entry: Entry | undefined): void {
    const { stream, replica, values, onClaim, onDiverged } = this.#options;
    let { epoch = "" } = this.#seen ?? {};
    if (entry?.kind === "claim") {
      epoch = entry.epoch;
      stream.follow({ epoch, seq }, { startsAfter: seq, hasGap: false });
      this.#saw(epoch, seq);
      onClaim(entry);
      if (entry.read !== undefined && this.#sum.agrees(entry.read) === false) {
        this.#figures.onGap();
        stream.follow({ epoch, seq }, { startsAfter: seq, hasGap: true });
        onDiverged(entry.read, entry.hub);
      }
      return;
    }
    this.#saw(epoch, seq);
    if (entry?.kind === "gap") {
      this.#figures.onGap();
      stream.follow({ epoch, seq }, { startsAfter: seq, hasGap: true });
      this.#options.onGap();
      return;
    }
    if (entry === undefined || this.#wasTold(entry)) return;
    replica.hear(seq, entry);
    const hadBefore = entry.said === undefined ? 0 : this.#options.hadBefore(entry.said);
    if (entry.status === undefined) return stream.relay(frameOf(seq, entry), { hadBefore });
    // As it stands here: it may be older than it says of itself, or than what is known already.
    const status = values.read(entry.type);
    if (status !== undefined) stream.relayValue(status, { type: entry.type, seq });
  }

  #saw(epoch: string, seq: number): void {
    this.#seen = { streamId: this.#streamId, epoch, seq, chain: this.#leaderChain.state };
  }

  /** Whether it was written twice: NATS knows the names of the last two minutes alone. */
  #wasTold({ said }: Broadcast): boolean {
    if (said === undefined) return false;
    if (this.#names.has(said)) return true;
    this.#names.add(said);
    const [oldest] = this.#names;
    if (this.#names.size > MAX_NAMES && oldest !== undefined) this.#names.delete(oldest);
    return false;
  }

  /** Reads an entry; undefined if it says nothing, or nothing that counts. */
  #decode({ seq, text }: Stored): Entry | undefined {
    const entry = decodeEntry(text);
    if (entry === undefined) {
      this.#figures.onRead(undefined);
      this.#log.warning("cluster.entry_not_understood", { seq, bytes: text.length });
      return undefined;
    }
    const { after, hub } = entry;
    if (after === undefined || this.#leaderChain.counts(seq, after)) {
      this.#figures.onRead(entry);
      if (after !== undefined) {
        this.#contradiction.onCounted();
        this.#options.onLeader(entry);
      }
      return entry;
    }
    this.#figures.onVoid();
    const last = this.#leaderChain.last ?? 0;
    // The others of a row are counted.
    if (this.#contradiction.onVoid(this.#options.clock.now())) {
      this.#log.warning("cluster.entry_out_of_succession", { hub, seq, after, last });
    }
    this.#options.onOutOfSuccession(hub);
    return undefined;
  }
}

/** The first of the entries that are read on joining, however many there are. */
function tailOf({ first, last, bytes }: StreamState): number {
  const count = Math.max(1, last - first + 1);
  return last + 1 - Math.floor(count * Math.min(1, CATCH_UP_BYTES / Math.max(1, bytes)));
}

function isOfLeader(entry: Entry | undefined): boolean {
  return entry?.after !== undefined;
}

function frameOf(seq: number, { type, data, timestamp, code }: Broadcast): SharedFrame {
  return { type, data, timestamp, seq, ...(code === undefined ? {} : { code }) };
}
