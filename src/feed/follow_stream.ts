import type { Permit } from "../resilience/breaker.ts";
import { type Clock, momentOf } from "../resilience/clock.ts";
import { onAbort } from "../resilience/on_abort.ts";
import type { Backend, Call, StreamEnd } from "../rpc/backend.ts";
import type { BackendAnswer } from "./backend_answer.ts";
import type { BackendHealth } from "./backend_health.ts";
import { ALIVE, runStream, type StreamValue } from "./run_stream.ts";

export interface FollowOptions {
  signal: AbortSignal;
  /** The stream has come about. */
  onOpened: () => void;
  /** Waited for before the next value is asked for. */
  onValue: (value: StreamValue) => void | Promise<void>;
}

export interface FollowBackendOptions extends FollowOptions {
  clock: Clock;
  /** What is known of the backend, and learns from the stream. */
  health: BackendHealth;
  /** Aborted when the backend is not needed any more. */
  stop: AbortSignal;
  timeoutMs: number;
  /** Told before it is tried. */
  onAttempt: () => void;
}

/**
 * Opens a stream, if the breaker allows, and reads it to its end, which is the answer's outcome. A
 * stream counts for the breaker twice: when it proves the backend alive, and when it ends.
 *
 * @throws What `onValue` throws.
 */
export async function followStream(
  backend: Backend,
  call: Call,
  options: FollowBackendOptions,
): Promise<BackendAnswer> {
  const { clock, health, timeoutMs, onOpened, onValue } = options;
  const permit = health.tryAcquire();
  if (permit === undefined) return { kind: "refused" };
  options.onAttempt();
  const calledAt = momentOf(clock);
  const stop = new AbortController();
  const onStop = () => stop.abort(new DOMException("The stream was given up", "AbortError"));
  using links = new DisposableStack();
  for (const signal of [options.signal, options.stop]) links.use(onAbort(signal, onStop));
  let era = onAbort(health.era, onStop);
  links.defer(() => era[Symbol.dispose]());
  let unproven: Permit | undefined = permit;
  const onAlive = () => {
    if (unproven === undefined) return;
    // What this stream itself changes does not end it.
    era[Symbol.dispose]();
    const settled = health.settle(unproven, { call, outcome: ALIVE });
    unproven = undefined;
    if (settled === "late") return onStop();
    era = onAbort(health.era, onStop);
    settled.announce();
  };
  let outcome: StreamEnd;
  try {
    outcome = await runStream(backend, call, {
      clock,
      signal: stop.signal,
      timeoutMs,
      steadyMs: timeoutMs,
      onOpened,
      onAlive,
      onValue,
    });
  } catch (error) {
    if (unproven !== undefined) health.giveUp(unproven);
    if (!stop.signal.aborted) throw error;
    return { kind: "abandoned" };
  }
  const end = unproven ?? health.permitToReport();
  if (end === undefined) return { kind: "abandoned" };
  return { kind: "asked", outcome, calledAt, settle: () => health.settle(end, { call, outcome }) };
}
