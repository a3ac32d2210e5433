import type { ChannelsOfBackend } from "../../protocol/error_subject.ts";
import type { Clock } from "../../resilience/clock.ts";
import {
  type DisconnectedRecord,
  DisconnectedSessions,
  type Memory,
} from "./disconnected_sessions.ts";
import { History, type HistoryOptions, type HistoryRecord } from "./history.ts";
import { HubKeeping } from "./hub_keeping.ts";
import type { KeptFrame, ResumeKeeper, ResumePast } from "./resume_keeper.ts";
import { Sequence, type StreamPosition } from "./sequence.ts";

/** What another hub needs to go on as if it had been there all the time; plain data. */
export interface HubRecord extends DisconnectedRecord {
  readonly position: StreamPosition;
  /** Whether numbers come from a stream that other hubs share. */
  readonly isShared: boolean;
  readonly history: HistoryRecord;
}

export interface ResumeStateOptions {
  clock: Clock;
  /** What is kept for clients that resume. */
  history: HistoryOptions;
  channelsOf: ChannelsOfBackend;
  /** The epoch goes on after this process. Default: where there is a keeper, or a hub to repeat. */
  isEpochKept: boolean | undefined;
  /** Takes what another life of the hub goes on from. Default: nobody does. */
  keeper: ResumeKeeper | undefined;
  /** What an earlier life left: its epoch goes on. Default: a new epoch begins. */
  past: ResumePast | undefined;
  /** The hub that is repeated, as it stood. Default: none is. */
  mirrored: HubRecord | undefined;
}

/**
 * All that a hub knows for the sake of clients that come back: the numbering, the frames they may
 * have missed, and those who left. It goes on from another life of the hub, or from the hub that
 * this one repeats, and is kept for the next life where there is a keeper.
 */
export class ResumeState {
  readonly sequence: Sequence;
  readonly history: History;
  /** Those that left and are worth remembering. */
  readonly remembered: DisconnectedSessions;
  readonly #keeping: HubKeeping | undefined;

  constructor(options: ResumeStateOptions) {
    const { clock, channelsOf, keeper, past, mirrored } = options;
    // A client of a hub that repeats another may come back to any that does.
    const { isEpochKept: isKept = keeper !== undefined || mirrored !== undefined } = options;
    const from = mirrored?.position ??
      (past ? { epoch: past.position.epoch, seq: past.position.upTo } : undefined);
    const onNumber = () => this.#keeping?.onNumber();
    const sequence = new Sequence({ isKept, onNumber, ...(from ? { from } : {}) });
    if (mirrored?.isShared) sequence.share(mirrored.position);
    const history = new History(options.history);
    const remembered = new DisconnectedSessions(
      options.history.maxAgeMs,
      (id) => this.#keeping?.onForgotten(id),
    );
    this.sequence = sequence;
    this.history = history;
    this.remembered = remembered;
    const keeping = { clock, past, sequence, history, remembered, channelsOf };
    this.#keeping = keeper && new HubKeeping({ ...keeping, keeper });
    if (mirrored === undefined) return;
    history.restore(mirrored.history);
    remembered.restore(mirrored);
  }

  /** Whether it is kept for another life of the hub. */
  get isKept(): boolean {
    return this.#keeping !== undefined;
  }

  /** A frame is about to be sent that clients which resume have to get. */
  onFrame(frame: Omit<KeptFrame, "previous">): void {
    this.#keeping?.onFrame(frame);
  }

  /** A client left that is worth remembering. */
  onDeparture(id: string, memory: Memory): void {
    this.#keeping?.onDeparture(id, memory);
  }

  /** Another epoch has begun. */
  onEpoch(): void {
    this.#keeping?.onEpoch();
  }

  /** Gives a keeper all there is, as one that has to begin anew needs it. */
  keepAll(keeper: ResumeKeeper): void {
    this.#keeping?.keepAll(keeper);
  }

  /** No number is given out any more: another life of the hub goes on right after the last one. */
  end(): void {
    this.#keeping?.end();
  }

  /** What a hub needs that is to repeat this one from now on. */
  toRecord(): HubRecord {
    const { position, isShared } = this.sequence;
    return { position, isShared, history: this.history.toRecord(), ...this.remembered.toRecord() };
  }
}
