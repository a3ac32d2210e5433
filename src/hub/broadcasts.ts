import { EVENT_CHANNEL } from "../protocol/channel.ts";
import { type EncodedFrame, encodeFrame, json, type JsonText } from "../protocol/codec.ts";
import { type ErrorEvent, errorType } from "../protocol/error_event.ts";
import { aboutSubject, aboutSubjectIn, type ChannelsOfBackend } from "../protocol/error_subject.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import type { FanOut } from "./delivery/fan_out.ts";
import type { ValueFrames } from "./delivery/value_frames.ts";
import type { HubMirror, NumberedFrame, NumberedPlace } from "./hub_mirror.ts";
import type { HubStats } from "./hub_stats.ts";
import type { Registry } from "./registry.ts";
import { type History, isKeptType } from "./resume/history.ts";
import type { KeptFrame } from "./resume/resume_keeper.ts";
import type { Sequence } from "./resume/sequence.ts";

export interface BroadcastsOptions {
  clock: Clock;
  registry: Pick<Registry, "wanting" | "wantsDelta">;
  sequence: Sequence;
  history: History;
  /** Where broadcasts are counted. */
  stats: Pick<HubStats, "broadcasts">;
  fanOut: Pick<FanOut, "send">;
  valueFrames: Pick<ValueFrames, "broadcast">;
  channelsOf: ChannelsOfBackend;
  /** Hubs that repeat all of this to their clients, if there are any. */
  mirror: Pick<HubMirror, "broadcast" | "value"> | undefined;
  /** Told of a frame for clients that resume, before anybody gets it. */
  onKept: (frame: Omit<KeptFrame, "previous">) => void;
}

/**
 * What the hub says by itself: each value, event and error gets its number, is kept for clients that
 * resume where it cannot be replaced, and goes to all that want it. What a stream says that several
 * hubs share goes through `SharedStream`, under the stream's numbers.
 *
 * All return the number of the newest broadcast, which is this one's where it has one.
 */
export class Broadcasts {
  readonly #options: BroadcastsOptions;

  constructor(options: BroadcastsOptions) {
    this.#options = options;
  }

  /** Sends data of one type. */
  data(type: string, data: JsonText): number {
    return this.#say(type, data, asItIs);
  }

  /** Sends an error, to those that may know of what it speaks. */
  error(event: ErrorEvent): number {
    const { channelsOf } = this.#options;
    return this.#say(
      errorType(event.code),
      json(event),
      (frame) => aboutSubject(frame, event.data, channelsOf),
    );
  }

  /** Sends a status channel's value, as it stands. */
  value(channel: string, status: StatusData<JsonText>): number {
    const { clock, sequence, mirror } = this.#options;
    const place = { timestamp: clock.unixSeconds(), seq: sequence.next() };
    mirror?.value(channel, status, place);
    return this.#sendValue(channel, status, place);
  }

  /** Sends what another hub has said, under that one's number. */
  repeat(frame: NumberedFrame): void {
    const { sequence, channelsOf } = this.#options;
    if (frame.seq !== undefined) sequence.reach(frame.seq);
    this.#send(frame, (encoded) => aboutSubjectIn(encoded, frame.data, channelsOf));
  }

  /** Sends a value as another hub did, under that one's number. */
  repeatValue(channel: string, status: StatusData<JsonText>, place: NumberedPlace): void {
    if (place.seq !== undefined) this.#options.sequence.reach(place.seq);
    this.#sendValue(channel, status, place);
  }

  #say(type: string, data: JsonText, mark: (frame: EncodedFrame) => EncodedFrame): number {
    const { clock, sequence, mirror } = this.#options;
    const numbered = { type, data, timestamp: clock.unixSeconds(), seq: sequence.next() };
    mirror?.broadcast(numbered);
    return this.#send(numbered, mark);
  }

  #send(numbered: NumberedFrame, mark: (frame: EncodedFrame) => EncodedFrame): number {
    const { type, data, timestamp, seq } = numbered;
    const { clock, sequence, registry, history, stats, fanOut, onKept } = this.#options;
    stats.broadcasts += 1;
    const groups = registry.wanting(type);
    const isKept = isKeptType(type);
    if (groups.size === 0 && !isKept) return sequence.seq;
    const frame = mark(encodeFrame(type, data, timestamp, seq));
    if (isKept && seq !== undefined) onKept({ type, seq, timestamp, data });
    if (isKept) history.add(frame, clock.now());
    if (seq === undefined && type === EVENT_CHANNEL) history.lacks(sequence.seq);
    fanOut.send(frame, groups);
    return sequence.seq;
  }

  #sendValue(channel: string, status: StatusData<JsonText>, place: NumberedPlace): number {
    const { sequence, registry, stats, fanOut, valueFrames } = this.#options;
    stats.broadcasts += 1;
    const groups = registry.wanting(channel);
    if (groups.size === 0) return sequence.seq;
    const { timestamp, seq } = place;
    const told = { timestamp, seq, wantsDelta: registry.wantsDelta(channel) };
    fanOut.send(valueFrames.broadcast(channel, status, told), groups);
    return sequence.seq;
  }
}

function asItIs(frame: EncodedFrame): EncodedFrame {
  return frame;
}
