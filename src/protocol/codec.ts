/**
 * Text to frames and back: the only place where the wire's JSON is parsed or written. A value is
 * encoded once and its text shared by every client, snapshot and replay that shows it.
 */
import { EVENT_CHANNEL, isErrorType } from "./channel.ts";
import type { ClientMessage, Frame } from "./message.ts";
import type { StatusData } from "./status_data.ts";

/** Text that is known to be JSON, so that it can be put into a frame as it stands. */
export type JsonText = string & { readonly __json: unique symbol };

/** Result of encoding a value that may not be encodable. */
export type Encoded =
  | { readonly ok: true; readonly json: JsonText }
  | { readonly ok: false; readonly why: string };

/**
 * Encodes a value as JSON; says why where it cannot be (a cycle, a BigInt, a throwing `toJSON`,
 * or a value JSON has no text for). Never throws.
 */
export function encodeJson(value: unknown): Encoded {
  try {
    const json = JSON.stringify(value) as JsonText | undefined;
    if (json === undefined) return { ok: false, why: `JSON has no form for a ${typeof value}` };
    return { ok: true, json };
  } catch (error) {
    // V8 explains a cycle over several lines; the first one names it. What a `toJSON` throws need
    // not be an error, nor have a text.
    const message = error instanceof Error ? error.message : typeof error === "string" ? error : "";
    const [why] = message.split("\n");
    return { ok: false, why: why || "it threw while being encoded" };
  }
}

/** A frame ready to be sent, with what outboxes and the history need to know of it. */
export interface EncodedFrame {
  readonly type: string;
  /** Absent on frames for one client alone. */
  readonly seq?: number;
  readonly text: string;
  /** What a client may resume from once it has this frame, where that is not the frame's number. */
  readonly resumeFrom?: number;
  /**
   * Which of the two kept streams a client has got further in once it has this frame; absent on
   * values and on frames without a number. Told here once, as it is asked for each client.
   */
  readonly advances?: KeptStream;
  /**
   * The channels that an error speaks of: only who may read one of them may have it. Absent on
   * whatever is everybody's who subscribed to its type.
   */
  readonly about?: readonly string[];
  /** A value as it is put to clients with `delta=1`; absent where there are none. */
  readonly revised?: ByRevision;
}

/** A frame that reads differently to clients, by which revision of its value they had last. */
export interface ByRevision {
  /** The channel's place among all, where clients keep count of what they had. */
  readonly slot: number;
  readonly revision: number;
  /** The form for a client whose last frame on this channel was of the revision `had`. */
  formFor(had: number): number;
  /** The whole frame in one of its forms. */
  text(form: number): string;
  /** The same without its number among the broadcasts. */
  withoutSeq(): ByRevision;
}

/** The streams of broadcasts that cannot be replaced by newer ones. */
export type KeptStream = "events" | "errors";

/**
 * Puts an envelope around data that is JSON text already.
 *
 * @param timestamp Unix seconds.
 * @param seq Position among the broadcasts; leave it out for a frame to one client alone.
 */
export function encodeFrame(
  type: string,
  data: JsonText,
  timestamp: number,
  seq?: number,
): EncodedFrame {
  // A type is a channel name or one of ours: its grammar leaves nothing to escape.
  if (seq === undefined) {
    return { type, text: `{"type":"${type}","timestamp":${timestamp},"data":${data}}` };
  }
  const text = `{"type":"${type}","timestamp":${timestamp},"seq":${seq},"data":${data}}`;
  if (isErrorType(type)) return { type, seq, text, advances: "errors" };
  return type === EVENT_CHANNEL ? { type, seq, text, advances: "events" } : { type, seq, text };
}

/** The same frame without its number, as if it were for one client alone. */
export function withoutSeq(frame: EncodedFrame): EncodedFrame {
  const { type, seq, text, revised } = frame;
  if (seq === undefined) return frame;
  // The number stands before the data, and nothing that could look like it stands before it.
  const unnumbered = { type, text: text.replace(`"seq":${seq},`, "") };
  return revised === undefined ? unnumbered : { ...unnumbered, revised: revised.withoutSeq() };
}

/** Encodes data that the hub itself made, which is always encodable. */
export function json(value: object): JsonText {
  return JSON.stringify(value) as JsonText;
}

/**
 * Encodes a status frame's data around a value that is JSON text already: the value is encoded
 * once when the backend gives it, not each time it is shown.
 */
export function encodeStatusData(status: StatusData<JsonText>): JsonText {
  return `{"data":${status.data},${encodeStanding(status)}` as JsonText;
}

/** What of a status frame's data stands behind the value, with the closing brace. */
export function encodeStanding(status: Omit<StatusData, "data">): string {
  const { is_stale, cached_at, age_ms, error } = status;
  const standing = `"is_stale":${is_stale},"cached_at":${cached_at},"age_ms":${age_ms}`;
  return error === undefined ? `${standing}}` : `${standing},"error":${json(error)}}`;
}

/** Joins frames into the array that `batch=1` clients get; one frame stays a plain object. */
export function joinBatch(frames: readonly Pick<EncodedFrame, "text">[]): string {
  const [only] = frames;
  if (frames.length === 1 && only) return only.text;
  return `[${frames.map((frame) => frame.text).join(",")}]`;
}

/** What a client's text turned out to be. */
export type ParsedClientMessage =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly why: string };

/** Longest `id` of a ping that is echoed, in characters. */
const MAX_PING_ID = 128;

/** Most channels one message may name. */
const MAX_CHANNELS_PER_MESSAGE = 1024;

/** Reads a client's message; says what was wrong and what would be right. Never throws. */
export function parseClientMessage(text: string): ParsedClientMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad("the message is not JSON; send an object such as " + PING_EXAMPLE);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return bad(`the message is ${nameOf(value)}; send an object such as ${PING_EXAMPLE}`);
  }
  const { type, channels, id } = value as Record<string, unknown>;
  switch (type) {
    case "subscribe":
    case "unsubscribe":
      if (!Array.isArray(channels) || !channels.every((each) => typeof each === "string")) {
        return bad(`"channels" of "${type}" must be a list of channel names`);
      }
      if (channels.length > MAX_CHANNELS_PER_MESSAGE) {
        return bad(`"channels" names more than ${MAX_CHANNELS_PER_MESSAGE} channels`);
      }
      return { ok: true, message: { type, channels } };
    case "ping":
      if (id === undefined) return { ok: true, message: { type } };
      // A number too large for JSON's reader arrives as Infinity, which could not be echoed.
      if (Number.isFinite(id) || (typeof id === "string" && id.length <= MAX_PING_ID)) {
        return { ok: true, message: { type, id: id as string | number } };
      }
      return bad(`"id" of "ping" must be a number or a string of up to ${MAX_PING_ID} characters`);
    default:
      return bad(
        `"type" is ${type === undefined ? "missing" : excerpt(type)}; ` +
          `"subscribe", "unsubscribe" and "ping" are known`,
      );
  }
}

/** Splits what a server sent into frames: a single object, or the array of a batch. */
export function parseFrames(
  text: string,
  parse: (text: string) => unknown = JSON.parse,
): Frame[] {
  const value = parse(text) as Frame | Frame[];
  return Array.isArray(value) ? value : [value];
}

const PING_EXAMPLE = `{"type":"ping"}`;

function bad(why: string): ParsedClientMessage {
  return { ok: false, why };
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function excerpt(value: unknown): string {
  // Lists and objects are named, not shown: nested deep enough, they cannot even be encoded.
  if (typeof value === "object") return nameOf(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
