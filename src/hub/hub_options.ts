import type { ErrorCode, ErrorEvent } from "../protocol/error_event.ts";
import type { ChannelsOfBackend } from "../protocol/error_subject.ts";
import type { Clock } from "../resilience/clock.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { HubMirror } from "./hub_mirror.ts";
import type { HistoryOptions } from "./resume/history.ts";
import type { ResumeKeeper, ResumePast } from "./resume/resume_keeper.ts";
import type { HubRecord } from "./resume/resume_state.ts";
import type { SessionLimits } from "./session.ts";
import type { Departure, StreamError } from "./shared_stream.ts";

/** Bounds of a hub. */
export interface HubLimits extends SessionLimits {
  readonly stallTimeoutMs: number;
  /** Bytes handed over and not taken, of all clients together. */
  readonly maxBufferedBytes: number;
}

/** What a hub is made with. */
export interface HubOptions {
  clock: Clock;
  limits: HubLimits;
  /** What is kept for clients that resume. */
  history: HistoryOptions;
  /** The epoch goes on after this process, where less is remembered of clients. Default: false. */
  isEpochKept?: boolean;
  /** Told of each error that a stream says which several hubs share. Default: nobody is. */
  onStreamError?: (code: ErrorCode, told: StreamError) => void;
  /** Takes what another life of the hub goes on from; the epoch is kept then. Default: nobody does. */
  keeper?: ResumeKeeper;
  /** What an earlier life left: its epoch goes on. Default: a new epoch begins. */
  past?: ResumePast;
  /** What the welcome promises, in milliseconds. */
  heartbeatMs: number;
  /** The status channels there are just now. */
  statusChannels: () => readonly string[];
  /** Whether a client that names no channels gets this status channel. Default: all there are. */
  isOffered?: (channel: string) => boolean;
  /** Where values are read from, flagged as they then stand. */
  values: Pick<ValueStore, "read" | "revision">;
  /**
   * The channels that a backend feeds: only who may read one of them hears of its errors. Default:
   * none is known, and only who may read all hears of them.
   */
  channelsOfBackend?: ChannelsOfBackend;
  /** Tells clients of others that were lost. Default: those of this hub. */
  tellLoss?: (event: ErrorEvent) => void;
  /** Told of a client that left, for other hubs to know it by. Default: nobody is. */
  onDeparture?: (departure: Departure) => void;
  /** Hubs that serve the clients in place of this one. Default: it serves its own. */
  mirror?: HubMirror;
  /** The hub that this one repeats, as it stood. Default: it repeats none. */
  mirrored?: HubRecord;
}
