import {
  type EncodedFrame,
  encodeFrame,
  encodeStanding,
  encodeStatusData,
  type JsonText,
} from "../../protocol/codec.ts";
import { RevisedValue, RevisionPatch } from "../../protocol/revised_value.ts";
import type { StatusData } from "../../protocol/status_data.ts";
import type { ValueStore } from "../../values/value_store.ts";

export interface ValueFramesOptions {
  values: Pick<ValueStore, "revision">;
}

/** Where a value's frame stands in time and among the broadcasts. */
export interface FramePlace {
  /** Unix seconds. */
  readonly timestamp: number;
  /** Absent on frames for one client alone. */
  readonly seq?: number | undefined;
}

/** What clients with `delta=1` were sent of a channel. */
interface SentChannel {
  /** Where clients keep count of what they had of it. */
  readonly slot: number;
  /** Of the newest value. Kept for good, so that a number never means two values. */
  revision: number;
  /** The newest value; forgotten when there are no such clients. */
  text: JsonText | undefined;
  /** What leads to it from the one before, if that is known. */
  patch: RevisionPatch | undefined;
}

/**
 * Encodes values for clients: as they are, and for those with `delta=1` as what changed. Remembers
 * one value a channel, and only while somebody has such a client's interest in it.
 */
export class ValueFrames {
  readonly #values: ValueFramesOptions["values"];
  /** As many as there ever were channels with such clients. */
  readonly #sent = new Map<string, SentChannel>();

  constructor({ values }: ValueFramesOptions) {
    this.#values = values;
  }

  /**
   * A value for all clients of a channel.
   *
   * @param wantsDelta Whether one of them wants to hear what changed.
   */
  broadcast(
    channel: string,
    status: StatusData<JsonText>,
    { wantsDelta, ...place }: FramePlace & { readonly wantsDelta: boolean },
  ): EncodedFrame {
    if (wantsDelta) return this.#revised(channel, status, place);
    const sent = this.#sent.get(channel);
    if (sent !== undefined) sent.text = sent.patch = undefined;
    return plain(channel, status, place);
  }

  /** A value for one client alone: all of it, whatever the client had. */
  latest(
    channel: string,
    status: StatusData<JsonText>,
    { wantsDelta, ...place }: FramePlace & { readonly wantsDelta: boolean },
  ): EncodedFrame {
    return wantsDelta
      ? this.#revised(channel, status, place, { isWhole: true })
      : plain(channel, status, place);
  }

  #revised(
    channel: string,
    status: StatusData<JsonText>,
    { timestamp, seq }: FramePlace,
    { isWhole = false } = {},
  ): EncodedFrame {
    const { slot, revision, patch } = this.#note(channel, status.data);
    const revised = new RevisedValue({
      channel,
      slot,
      revision,
      value: status.data,
      standing: encodeStanding(status),
      timestamp,
      seq,
      patch,
      isWhole,
    });
    return { ...plain(channel, status, { timestamp, seq }), revised };
  }

  /** Takes note of a value that is about to be sent. */
  #note(channel: string, text: JsonText): SentChannel {
    let sent = this.#sent.get(channel);
    if (sent === undefined) {
      sent = { slot: this.#sent.size, revision: 0, text: undefined, patch: undefined };
      this.#sent.set(channel, sent);
    }
    if (sent.text === text) return sent;
    // The store counts what it holds; what a stream of several hubs brings may be ahead of that.
    const revision = Math.max(sent.revision + 1, this.#values.revision(channel));
    sent.patch = sent.text === undefined
      ? undefined
      : new RevisionPatch(sent.revision, sent.text, text);
    sent.revision = revision;
    sent.text = text;
    return sent;
  }
}

function plain(
  channel: string,
  status: StatusData<JsonText>,
  { timestamp, seq }: FramePlace,
): EncodedFrame {
  return encodeFrame(channel, encodeStatusData(status), timestamp, seq);
}
