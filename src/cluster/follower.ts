// @ts-types="../std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import type { SharedFrame, SharedStream } from "../hub/resume/shared_stream.ts";
import { encodeStatusData } from "../protocol/codec.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { catchUp, type Numbered } from "./catch_up.ts";
import { type Broker, BrokerError, type Stored, type StreamState } from "./broker.ts";
import { type Broadcast, type Claim, decodeEntry, type Entry } from "./entry.ts";
import { ClusterStats } from "./cluster_stats.ts";
import type { Replica } from "./replica.ts";
import { LeaderChain } from "./leader_chain.ts";

export interface FollowerOptions {
  /** The hub's end of the stream. */
  stream: SharedStream;
  replica: Replica;
  /** Where it is counted. Default: nowhere that anybody looks. */
  figures?: ClusterStats;
  /** Somebody leads from now on, perhaps this hub. */
  onClaim: (claim: Claim) => void;
  /** This hub spoke as a leader and was not the one: its words do not count. */
  onOutOfSuccession: (hub: string) => void;
}

/** What a hub finds when it comes to the stream. */
export interface Survey {
  readonly state: StreamState;
  /** The stream it knew, with all it has not had yet. */
  readonly goesOn: boolean;
  /** The epoch it knew goes on in a stream that lost something of it: its numbers are worthless. */
  readonly brokenEpoch: string | undefined;
}

/** How long the part of the stream that was missed may take to be read, in milliseconds. */
const CATCH_UP_MS = 10_000;

/**
 * Follows the shared stream: finds this hub's place in it, brings its clients what they missed,
 * and relays what is said from then on.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #figures: ClusterStats;
  readonly #log: Log = logOf("cluster");
  #seen: { readonly streamId: string; readonly epoch: string; readonly seq: number } | undefined;
  readonly #leaderChain = new LeaderChain();
  #streamId = "";

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#figures = options.figures ?? new ClusterStats();
  }

  /** Number of the last leaders' entry that counts; undefined if none is known. */
  get lastOfLeaders(): number | undefined {
    return this.#leaderChain.last;
  }

  /** Looks at the stream, and takes over the last good values that are kept beside it. */
  async survey(broker: Broker): Promise<Survey> {
    const { replica } = this.#options;
    const state = await broker.state();
    const seen = this.#seen;
    const goesOn = seen !== undefined && seen.streamId === state.id && seen.seq <= state.last &&
      seen.seq + 1 >= state.first;
    const isCut = seen?.streamId === state.id && seen.seq <= state.last; // too old, but sound
    if (seen !== undefined && !goesOn && !isCut) replica.renumber();
    if (!goesOn) this.#leaderChain.restart(state.first);
    for (const [channel, { seq, text }] of await broker.latest.all()) {
      const entry = decodeEntry(text);
      if (entry?.kind === "broadcast" && entry.type === channel) replica.recall(seq, entry);
    }
    return { state, goesOn, brokenEpoch: goesOn || isCut ? undefined : seen?.epoch };
  }

  /**
   * Goes on where this hub left off, or starts with what comes next.
   *
   * @param onFollowing Called in the moment in which the hub turns to the stream.
   * @throws {BrokerError} If the stream cannot be read.
   */
  async join(
    broker: Broker,
    { goesOn, state }: Survey,
    onFollowing: () => void,
  ): Promise<void> {
    const { stream, replica } = this.#options;
    const seen = this.#seen;
    const { id, first, last } = await broker.state();
    const newest = await broker.newestOfLeaders();
    // What came since the survey is news, this hub's own claim among it.
    const deliverFrom = (goesOn && seen ? seen.seq : state.last) + 1;
    const readFrom = goesOn && seen && stream.isFollowing ? deliverFrom : first;
    const entries: Numbered[] = [];
    let isLive = false;
    const caughtUp = Promise.withResolvers<void>();
    if (readFrom > last) caughtUp.resolve();
    if (readFrom === first) this.#leaderChain.restart(first);
    let next = readFrom;
    await broker.read(readFrom, (stored) => {
      if (stored.seq > next) this.#leaderChain.skipTo(stored.seq);
      next = stored.seq + 1;
      const numbered = { seq: stored.seq, entry: this.#decode(stored) };
      if (isLive) this.#hear(numbered);
      else entries.push(numbered);
      if (stored.seq >= last) caughtUp.resolve();
    });
    try {
      await deadline(caughtUp.promise, CATCH_UP_MS, { signal: broker.lost });
    } catch {
      throw new BrokerError("the stream could not be read to its end");
    }
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
      if (seq < deliverFrom && entry?.kind === "broadcast") replica.recall(seq, entry);
    }
    const writtenUpTo = entries.at(-1)?.seq ?? last;
    stream.follow(position, { startsAfter, hasGap, writtenUpTo });
    for (const { seq, entry } of past) {
      if (entry?.kind === "broadcast") stream.remember(frameOf(seq, entry));
    }
    this.#seen = { streamId: id, epoch: position.epoch, seq: deliverFrom - 1 };
    for (const { seq, entry } of missed) this.#take(seq, entry, "missed");
    isLive = true;
  }

  #hear({ seq, entry }: Numbered): void {
    const { epoch = "", seq: seen = seq - 1 } = this.#seen ?? {};
    if (seq !== seen + 1) {
      // Read too slowly: what stands between is no longer kept.
      this.#figures.onGap();
      const position = { epoch, seq: seq - 1 };
      this.#options.stream.follow(position, { startsAfter: seq - 1, hasGap: true });
    }
    this.#take(seq, entry, "live");
  }

  #take(seq: number, entry: Entry | undefined, how: "live" | "missed"): void {
    const { stream, replica, onClaim } = this.#options;
    let { epoch = "" } = this.#seen ?? {};
    if (entry?.kind === "claim") {
      epoch = entry.epoch;
      stream.follow({ epoch, seq }, { startsAfter: seq, hasGap: false });
      this.#seen = { streamId: this.#streamId, epoch, seq };
      onClaim(entry);
      return;
    }
    this.#seen = { streamId: this.#streamId, epoch, seq };
    if (entry === undefined) return;
    // What was missed is older than it says of itself.
    if (how === "missed") replica.recall(seq, entry);
    else replica.hear(seq, entry);
    const status = entry.status && replica.latest(entry.type);
    stream.relay({
      ...frameOf(seq, entry),
      ...(status === undefined ? {} : { data: encodeStatusData(status) }),
    });
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
      return entry;
    }
    this.#figures.onVoid();
    this.#log.warning("cluster.entry_out_of_succession", { hub, seq, after });
    this.#options.onOutOfSuccession(hub);
    return undefined;
  }
}

function frameOf(seq: number, { type, data, timestamp, code }: Broadcast): SharedFrame {
  return { type, data, timestamp, seq, ...(code === undefined ? {} : { code }) };
}
