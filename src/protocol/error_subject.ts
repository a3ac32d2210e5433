import type { EncodedFrame } from "./codec.ts";
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
