import { isErrorType } from "./channel.ts";
import type { EncodedFrame, JsonText } from "./codec.ts";
import type { ErrorEvent } from "./error_event.ts";

/** The channels that a backend feeds. */
export type ChannelsOfBackend = (backend: string) => readonly string[];

/**
 * The channels that an error speaks of, of which a client must be allowed to read one to hear of
 * it; undefined for an error that is everybody's. One about a backend is about all it feeds.
 */
function subjectOf(
  data: ErrorEvent["data"],
  channelsOf: ChannelsOfBackend,
): readonly string[] | undefined {
  if (data === undefined) return undefined;
  const { channel, channels, backend } = data;
  if (typeof channel === "string") return [channel];
  if (Array.isArray(channels)) return channels.filter((each) => typeof each === "string");
  return typeof backend === "string" ? channelsOf(backend) : undefined;
}

/** An error's frame with what it speaks of. */
export function aboutSubject(
  frame: EncodedFrame,
  data: ErrorEvent["data"],
  channelsOf: ChannelsOfBackend,
): EncodedFrame {
  const about = subjectOf(data, channelsOf);
  return about === undefined ? frame : { ...frame, about };
}

/** A frame of any type with what it speaks of, where that is known by its data's text alone. */
export function aboutSubjectIn(
  frame: EncodedFrame,
  text: JsonText,
  channelsOf: ChannelsOfBackend,
): EncodedFrame {
  return isErrorType(frame.type) ? aboutSubject(frame, errorIn(text).data, channelsOf) : frame;
}

/** What an error says, read from its text. One that cannot be read is for those who may read all. */
export function errorIn(
  text: JsonText,
): { readonly data: ErrorEvent["data"]; readonly details: string | undefined } {
  try {
    const { data, details } = JSON.parse(text) as Partial<ErrorEvent> | null ?? {};
    return { data, details: typeof details === "string" ? details : undefined };
  } catch {
    return { data: { channels: [] }, details: undefined };
  }
}
