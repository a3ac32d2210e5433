import { encodeFrame } from "../../protocol/codec.ts";
import type { Clock } from "../../resilience/clock.ts";
import { aboutSubjectIn, type ChannelsOfBackend } from "../../protocol/error_subject.ts";
import type { DisconnectedSessions, Memory } from "./disconnected_sessions.ts";
import type { History } from "./history.ts";
import {
  type KeptFrame,
  monotonicOf,
  PositionKeeper,
  type ResumeKeeper,
  type ResumePast,
  wholeFrames,
} from "./resume_keeper.ts";
import type { Sequence } from "./sequence.ts";

export interface HubKeepingOptions {
  clock: Clock;
  keeper: ResumeKeeper;
  past: ResumePast | undefined;
  sequence: Sequence;
  history: History;
  remembered: DisconnectedSessions;
  channelsOf: ChannelsOfBackend;
}

/**
 * What the hub knows of its clients' positions, kept over its lives: the numbers given out, the
 * frames they may have missed, and those who left. What is kept is kept before anybody hears of it.
 */
export class HubKeeping {
  readonly #options: HubKeepingOptions;
  readonly #position: PositionKeeper;
  /** Frames of the history, as they are kept; cut off now and then. */
  #frames: KeptFrame[] = [];

  constructor(options: HubKeepingOptions) {
    const { keeper, past, sequence: { position: { epoch } }, remembered } = options;
    this.#options = options;
    if (past) this.#restore(past);
    this.#position = new PositionKeeper(keeper, {
      start: past?.position ?? { epoch, upTo: 0, lastFrame: 0, forgottenUpTo: -1 },
      forgottenUpTo: () => remembered.forgottenUpTo,
    });
    this.onNumber();
  }

  /** A number was taken, and was not shown yet. */
  onNumber(): void {
    this.#position.onNumber(this.#options.sequence.position);
  }

  /** A frame is about to be sent that clients which resume have to get. */
  onFrame(frame: Omit<KeptFrame, "previous">): void {
    const { lastFrame: previous } = this.#position.position;
    this.#position.onFrame(frame);
    this.#frames.push({ ...frame, previous });
    const { size } = this.#options.history;
    if (this.#frames.length > 2 * size + 1) this.#frames = this.#frames.slice(-size - 1);
  }

  /** The hub has begun another epoch. */
  onEpoch(): void {
    this.#frames = [];
    this.#position.restart(this.#options.sequence.epoch);
    this.onNumber();
  }

  /** A client left that is worth remembering. */
  onDeparture(id: string, memory: Memory): void {
    const { clock, keeper } = this.#options;
    const { closedWith, progress } = memory;
    keeper.session(id, {
      ...(closedWith === undefined ? {} : { closedWith }),
      progress: progress.toRecord(),
      leftMs: clock.unixMs(),
    });
  }

  onForgotten(id: string): void {
    this.#options.keeper.session(id, undefined);
    this.#position.onForgotten();
  }

  /** Gives a keeper all there is. */
  keepAll(keeper: ResumeKeeper): void {
    const { clock, remembered } = this.#options;
    const { position } = this.#position;
    keeper.keep(position);
    for (const frame of this.#frames) keeper.keep(position, frame);
    for (const { session, at, ...kept } of remembered.toRecord().departed) {
      keeper.session(session, { ...kept, leftMs: clock.unixMs() - (clock.now() - at) });
    }
  }

  /** No number is given out any more. */
  end(): void {
    this.#position.end(this.#options.sequence.seq);
  }

  #restore(past: ResumePast): void {
    const { clock, history, remembered, channelsOf } = this.#options;
    const { frames, startsAfter } = wholeFrames(past);
    history.restart(startsAfter);
    for (const { type, seq, timestamp, data } of frames) {
      const frame = encodeFrame(type, data, timestamp, seq);
      history.add(aboutSubjectIn(frame, data, channelsOf), monotonicOf(timestamp * 1000, clock));
    }
    this.#frames = [...frames];
    remembered.restore({
      departed: [...past.sessions].map(([session, { leftMs, ...kept }]) => ({
        ...kept,
        session,
        at: monotonicOf(leftMs, clock),
      })),
      forgottenUpTo: past.position.forgottenUpTo,
    });
  }
}
