import type { Clock } from "../resilience/clock.ts";
import {
  type Backend,
  type Call,
  isStreaming,
  type Outcome,
  type StreamEnd,
  valueOutcome,
} from "../rpc/backend.ts";
import { LinkedAbort } from "../resilience/linked_abort.ts";

/** A message that was read, and is worth showing. */
export interface StreamValue {
  readonly outcome: Extract<Outcome, { kind: "ok" | "unencodable" }>;
  /** When it came, in unix milliseconds. */
  readonly cameAtMs: number;
}

export interface RunStreamOptions {
  clock: Clock;
  signal: AbortSignal;
  /** How long the stream may take to come about, in milliseconds. */
  timeoutMs: number;
  /** For how long a stream that came about must not end to prove its backend alive, in milliseconds. */
  steadyMs: number;
  /** The stream has come about. */
  onOpened?: () => void;
  /** The backend is alive: a first value is there, or the stream has been open for `steadyMs`. */
  onAlive: () => void;
  /** Waited for before the next message is asked for. */
  onValue?: (value: StreamValue) => void | Promise<void>;
}

/**
 * Runs one stream to its end. A message that cannot be read ends it.
 *
 * @throws The signal's reason, when it is aborted; what `onValue` throws.
 */
export async function runStream(
  backend: Backend,
  call: Call,
  options: RunStreamOptions,
): Promise<StreamEnd> {
  const end = await run(backend, call, options);
  const what = backend.describe?.(call);
  return what === undefined ? end : { ...end, reason: `${what}: ${end.reason}` };
}

async function run(backend: Backend, call: Call, options: RunStreamOptions): Promise<StreamEnd> {
  const { clock, signal, timeoutMs, steadyMs, onOpened, onAlive, onValue } = options;
  signal.throwIfAborted();
  if (!isStreaming(backend)) return { kind: "rejected", reason: "this transport has no streams" };
  using own = new LinkedAbort([signal]);
  let tooLate: StreamEnd | undefined;
  const isOver = new AbortController();
  const after = (ms: number, what: () => void) => {
    clock.sleep(ms, { signal: isOver.signal }).then(what, () => {}); // the stream ended first
  };
  let isAlive = false;
  const alive = () => {
    if (isAlive || own.signal.aborted) return;
    isAlive = true;
    onAlive();
  };
  let isOpen = false;
  after(timeoutMs, () => {
    if (isOpen) return;
    tooLate = { kind: "unavailable", reason: `no stream within ${timeoutMs} ms` };
    own.abort(new DOMException("No stream in time", "TimeoutError"));
  });
  const events = backend.stream(call, { signal: own.signal });
  let end: StreamEnd | undefined;
  try {
    while (end === undefined) {
      const { value: event, done } = await events.next();
      if (done) {
        end = event;
        break;
      }
      if (!isOpen) {
        isOpen = true;
        after(steadyMs, alive);
        onOpened?.();
      }
      if (event.kind === "opened") continue;
      const outcome = await event.read();
      if (outcome.kind !== "ok" && outcome.kind !== "unencodable") {
        end = outcome;
        break;
      }
      alive();
      own.signal.throwIfAborted();
      await onValue?.({ outcome, cameAtMs: event.cameAtMs });
    }
    return end;
  } catch (error) {
    signal.throwIfAborted();
    if (tooLate !== undefined) return tooLate;
    throw error;
  } finally {
    isOver.abort();
    own.abort();
    await events.return(GIVEN_UP).catch(() => {}); // it has been told to stop
  }
}

export interface ProbeStreamOptions
  extends Pick<RunStreamOptions, "clock" | "signal" | "timeoutMs"> {
  /** Told before it is tried. */
  onAttempt: () => void;
}

/** What a stream says of its backend once it is open. */
export const ALIVE: Outcome = valueOutcome(null);

/** How long a stream must not end that is opened only to see whether its backend is back, in milliseconds. */
const PROBE_STEADY_MS = 1000;

/**
 * Opens a stream only to see whether it comes about.
 *
 * @throws The signal's reason, when it is aborted.
 */
export async function probeStream(
  backend: Backend,
  call: Call,
  options: ProbeStreamOptions,
): Promise<Outcome> {
  const { clock, signal, timeoutMs, onAttempt } = options;
  using seen = new LinkedAbort([signal]);
  let isAlive = false;
  onAttempt();
  try {
    return await runStream(backend, call, {
      clock,
      signal: seen.signal,
      timeoutMs,
      steadyMs: Math.min(PROBE_STEADY_MS, timeoutMs),
      onAlive: () => {
        isAlive = true;
        seen.abort(new DOMException("Seen enough", "AbortError"));
      },
    });
  } catch (error) {
    if (isAlive && !signal.aborted) return ALIVE;
    throw error;
  }
}

const GIVEN_UP: StreamEnd = { kind: "unavailable", reason: "the stream was given up" };
