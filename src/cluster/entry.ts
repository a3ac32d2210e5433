import { EVENT_CHANNEL, isErrorType, isStatusChannel } from "../protocol/channel.ts";
import type { JsonText } from "../protocol/codec.ts";
import { type ErrorCode, ERRORS } from "../protocol/error_event.ts";
import type { Feeds } from "./feeds.ts";
import type { StreamPart } from "./stream_sum.ts";
import type { StatusData } from "../protocol/status_data.ts";

/** A new leader's first word: from here on the stream is its own. */
export interface Claim {
  readonly kind: "claim";
  readonly epoch: string;
  /** Grows with every change of leader. */
  readonly term: number;
  /** Number of the leaders' entry before this one, as its writer knew it; 0 for none. */
  readonly after: number;
  /** The hub that wrote it. */
  readonly hub: string;
  /** At least so often a word of this leader's can be expected, in milliseconds. */
  readonly every_ms?: number;
  /** What the leader has read of the stream, for the others to compare. */
  readonly read?: StreamPart;
  /** What feeds the leader's channels; told to those who come. */
  readonly feeds?: Feeds;
}

/** A broadcast. */
export interface Broadcast {
  readonly kind: "broadcast";
  readonly epoch: string;
  /** The leader's term; absent, as is `after`, on what any hub may say. */
  readonly term?: number;
  readonly after?: number;
  readonly hub: string;
  /** Names what its hub had told its own clients already, while it was alone. */
  readonly said?: string;
  readonly type: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** The code of an error. */
  readonly code?: ErrorCode;
  /** Of a status frame, what stands around its value. */
  readonly status?: Omit<StatusData<unknown>, "data">;
  /**
   * When the call that gave a value began, in unix milliseconds; absent from hubs that tell it by
   * `cached_at` alone.
   */
  readonly called_ms?: number;
  /** How long a value's publisher says that it holds, in milliseconds from `called_ms` on. */
  readonly valid_for_ms?: number;
  /** An error's or an event's data, or a status frame's value: JSON already. */
  readonly data: JsonText;
}

/** Something that was accepted is lost: clients of all hubs are to be told of a gap. */
export interface GapEntry {
  readonly kind: "gap";
  readonly epoch: string;
  readonly hub: string;
  /** It belongs to no leader's turn. */
  readonly after?: undefined;
}

/** What hubs write into the stream they share. */
export type Entry = Claim | Broadcast | GapEntry;

/** Version of the form, so that hubs of different versions can share a stream while one upgrades. */
const FORM = 1;

/** No JSON of one line has a line break, so the first one ends the head. */
const HEAD_END = "\n";

/** Writes an entry; a value that is JSON text already goes in as it stands. */
export function encodeEntry(entry: Entry): string {
  if (entry.kind !== "broadcast") return JSON.stringify({ form: FORM, ...entry }) + HEAD_END;
  const { data, ...head } = entry;
  return JSON.stringify({ form: FORM, ...head }) + HEAD_END + data;
}

/** A head before it is checked. */
type Head = Partial<Omit<Broadcast, "kind">> & Partial<Omit<Claim, "kind">> & {
  form?: number;
  kind?: string;
};

/** Reads an entry; undefined if it is none, or of a form this version does not know. */
export function decodeEntry(text: string): Entry | undefined {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = objectIn(text.slice(0, end)) as Head | undefined;
  const { form, epoch, hub } = head ?? {};
  if (head === undefined || form !== FORM || typeof epoch !== "string" || typeof hub !== "string") {
    return undefined;
  }
  if (head.kind === "gap") return { kind: "gap", epoch, hub };
  return head.kind === "broadcast" ? broadcastOf(head, text.slice(end + 1)) : claimOf(head);
}

function claimOf(head: Head): Claim | undefined {
  const { kind, epoch = "", hub = "", term, after, every_ms, read, feeds } = head;
  if (kind !== "claim" || typeof term !== "number" || typeof after !== "number") return undefined;
  const hasFeeds = typeof feeds === "object" && feeds !== null;
  const isPaced = typeof every_ms === "number" && every_ms > 0;
  return {
    kind,
    epoch,
    hub,
    term,
    after,
    ...(isPaced ? { every_ms } : {}),
    ...(isPart(read) ? { read } : {}),
    ...(hasFeeds ? { feeds } : {}),
  };
}

function isPart(read: Claim["read"] | null): read is StreamPart {
  return typeof read?.from === "number" && typeof read.to === "number" &&
    typeof read.sum === "string";
}

function broadcastOf(head: Head, data: string): Broadcast | undefined {
  const { epoch = "", hub = "", type, timestamp, term, after, code, status, said } = head;
  const { called_ms, valid_for_ms } = head;
  if (typeof type !== "string" || typeof timestamp !== "number") return undefined;
  const isKnown = isStatusChannel(type)
    ? isStatus(status) && parsed(data) !== undefined
    : (type === EVENT_CHANNEL || isErrorType(type)) && objectIn(data) !== undefined;
  if (!isKnown) return undefined;
  return {
    kind: "broadcast",
    epoch,
    hub,
    ...(typeof said === "string" ? { said } : {}),
    type,
    timestamp,
    ...(typeof term === "number" && typeof after === "number" ? { term, after } : {}),
    // A newer hub may know codes that this one does not: its clients hear them all the same.
    ...(code !== undefined && Object.hasOwn(ERRORS, code) ? { code } : {}),
    ...(isStatusChannel(type) ? { status } : {}),
    ...(Number.isFinite(called_ms) ? { called_ms } : {}),
    ...(Number.isFinite(valid_for_ms) ? { valid_for_ms } : {}),
    data: data as JsonText,
  };
}

function isStatus(status: Broadcast["status"] | null): status is Broadcast["status"] & object {
  return typeof status === "object" && typeof status?.is_stale === "boolean" &&
    typeof status.cached_at === "number" && typeof status.age_ms === "number";
}

/** The object that a text is; undefined if it is anything else. */
function objectIn(text: string): object | undefined {
  const value = parsed(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}

/** The value in a text; undefined if it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
