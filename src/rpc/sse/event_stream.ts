import { createParser } from "eventsource-parser";
import { type Clock, systemClock } from "../../resilience/clock.ts";
import { onAbort } from "../../resilience/on_abort.ts";
import { withDeadline } from "../../resilience/with_deadline.ts";
import { Arrivals } from "../stream/arrivals.ts";
import type { Unavailable } from "../backend.ts";
import { transportFailure } from "../transport_failure.ts";

/** What is kept from one stream to the next. */
export interface EventStreamPosition {
  /** As a header carries it; empty for none. */
  lastEventId: string;
  /** What the server's `retry:` said, in milliseconds. */
  retryMs: number | undefined;
}

/** The data of one event. */
export interface SseData {
  readonly text: string;
  /** When it came, in unix milliseconds, or earlier if that cannot be told. */
  readonly cameAtMs: number;
}

export interface ReadEventStreamOptions {
  position: EventStreamPosition;
  /** Most bytes of an event. */
  maxEventBytes: number;
  signal: AbortSignal;
  /** Default: the machine's own. */
  clock?: Clock;
  onData: (data: SseData) => void;
}

/** Longest event id that is kept, in bytes: it is a header of the next request. */
const MAX_ID_BYTES = 1024;

/** Longest wait a server's `retry:` can ask for, in milliseconds. */
const MAX_RETRY_MS = 300_000;

/**
 * Silence, comments included, after which a stream is given up, in milliseconds. Server-sent events
 * have no pings of their own: a connection that is dead is silent, and servers send comments on one
 * that is not, every 15 s as a rule.
 */
export const MAX_SILENCE_MS = 310_000;

/** Bytes read before others get a while: a flood waits in the server's own buffers. */
const BYTES_PER_WHILE = 1024 * 1024;
const WHILE_MS = 10;

/** Reads an event stream to its end; says why that came. Never throws. */
export async function readEventStream(
  response: Response,
  options: ReadEventStreamOptions,
): Promise<Unavailable> {
  const { position, maxEventBytes, signal, clock = systemClock, onData } = options;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  using arrivals = new Arrivals();
  let isTooLarge = false;
  const parser = createParser({
    maxBufferSize: maxEventBytes,
    onEvent: ({ data }) => onData({ text: data, cameAtMs: arrivals.cameAtMs() }),
    onId: (id) => position.lastEventId = headerOf(id) ?? position.lastEventId,
    onRetry: (ms) => position.retryMs = Math.min(ms, MAX_RETRY_MS),
    onError: ({ type }) => isTooLarge ||= type === "max-buffer-size-exceeded",
  });
  const reader = response.body?.getReader();
  if (reader === undefined) return ended("the stream ended");
  const giveUp = () => void reader.cancel().catch(() => {});
  using _stop = onAbort(signal, giveUp);
  let budget = BYTES_PER_WHILE;
  try {
    for (;;) {
      const heard = await withDeadline(clock, MAX_SILENCE_MS, () => reader.read());
      if (heard.isLate) return ended(`nothing was heard for ${MAX_SILENCE_MS / 1000} s`);
      const { value, done } = heard.value;
      if (done || signal.aborted) return ended("the stream ended");
      const text = decoded(decoder, value);
      if (text === undefined) return ended("the stream is not UTF-8 text");
      parser.feed(text);
      if (isTooLarge) return ended(`an event is larger than ${maxEventBytes} bytes`);
      budget -= value.length;
      if (budget > 0) continue;
      budget = BYTES_PER_WHILE;
      await clock.sleep(WHILE_MS, { signal }).catch(() => {}); // what follows looks at the signal
    }
  } catch (error) {
    return ended(transportFailure(error));
  } finally {
    giveUp();
  }
}

function decoded(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

function ended(reason: string): Unavailable {
  return { kind: "unavailable", reason };
}

/** An id as a header can carry it: its UTF-8 bytes. `undefined` where none can. */
function headerOf(id: string): string | undefined {
  const bytes = new TextEncoder().encode(id);
  // deno-lint-ignore no-control-regex -- they are what no header can carry
  if (bytes.length > MAX_ID_BYTES || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(id)) {
    return undefined;
  }
  return String.fromCharCode(...bytes).trim();
}
