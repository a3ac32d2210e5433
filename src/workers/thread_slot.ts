import { Backoff } from "../resilience/backoff.ts";
import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import type { WorkerReport } from "../server/reports/status_report.ts";
import type { Drained } from "../server/shutdown.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { FromThread, ThreadStart } from "./messages.ts";
import { ServingThread } from "./serving_thread.ts";
import type { ThreadState } from "./thread_metrics.ts";

/** A thread has this long to listen, in milliseconds. */
const START_MS = 15_000;

/** One that has ended is begun again after such a wait, in milliseconds; and what ends the growing. */
const RESTART = { minMs: 100, maxMs: 30_000, jitter: 0.2 };
const STEADY_MS = 60_000;

/**
 * Beyond their time threads get this long to see their clients off, in milliseconds: closing
 * handshakes take up to one second of it.
 */
const DRAIN_MORE_MS = 1200;

export interface ThreadSlotOptions {
  clock: Clock;
  /** Counted from 1: how logs and metrics call its thread. */
  number: number;
  /** The module its thread runs. Default: the one that serves clients; a test may have its own. */
  entry?: URL | undefined;
  /** No thread is begun once it is aborted. */
  signal: AbortSignal;
  /** What a thread has to know that has just come up, by the clock of which it is so late. */
  startOf: (threadNow: number) => ThreadStart;
  /** Whatever a thread says that is not about its own coming and going. */
  onMessage: (thread: ServingThread, message: FromThread) => void;
  /** A thread is no more that others had to do with. */
  onGone: (thread: ServingThread) => void;
}

/** Keeps one thread that serves clients: it begins one, and another whenever that one has ended. */
export class ThreadSlot {
  readonly #options: ThreadSlotOptions;
  readonly #log: Log = logOf("workers");
  /** Can be spoken to. */
  #thread: ServingThread | undefined;
  /** Settles once the newest thread listens, or has come to nothing. */
  #started = Promise.withResolvers<void>();
  #isStarting = false;
  #drained = Promise.withResolvers<Drained>();
  #closed = Promise.withResolvers<void>();
  #backoff = new Backoff(RESTART);
  #begunAt = 0;
  #restarts = 0;

  constructor(options: ThreadSlotOptions) {
    this.#options = options;
  }

  /** Undefined while there is none that could be spoken to. */
  get thread(): ServingThread | undefined {
    return this.#thread;
  }

  /** Threads that were begun in the place of others. */
  get restarts(): number {
    return this.#restarts;
  }

  get state(): ThreadState {
    return {
      number: this.#options.number,
      isAlive: this.#thread?.isAlive === true,
      ...this.report(),
    };
  }

  report(): WorkerReport {
    const thread = this.#thread;
    if (thread === undefined || this.#isStarting) {
      return { clients: 0, loop_lag_ms: 0, why: "it ended, and another is begun" };
    }
    const { clients, lagMs, isAlive } = thread;
    return {
      clients,
      loop_lag_ms: Math.round(lagMs),
      ...(isAlive ? {} : { why: "it hangs: nothing was heard of it for some seconds" }),
    };
  }

  /**
   * Begins a thread, and resolves once it listens.
   *
   * @throws The error that it met, such as {@linkcode Deno.errors.AddrInUse}.
   */
  async start(): Promise<void> {
    const { clock, number, entry, signal, onMessage } = this.#options;
    signal.throwIfAborted();
    this.#started = Promise.withResolvers();
    this.#drained = Promise.withResolvers();
    this.#closed = Promise.withResolvers();
    this.#isStarting = true;
    this.#begunAt = clock.now();
    const thread = new ServingThread({
      clock,
      number,
      entry,
      onMessage: (message) => this.#take(thread, message) || onMessage(thread, message),
      onEnd: (cause) => this.#onEnd(thread, cause),
    });
    try {
      const { promise } = this.#started;
      const result = await withDeadline(clock, START_MS, () => promise, { signal });
      if (result.isLate) throw new Error(`it did not begin to listen within ${START_MS} ms`);
    } catch (error) {
      thread.terminate();
      this.#forget(thread);
      throw error;
    } finally {
      this.#isStarting = false;
    }
  }

  /** Has the thread see its clients off; one that hangs is not waited for longer than they get. */
  async drain(options: { drainMs: number; reconnectWithinMs: number }): Promise<Drained> {
    const thread = this.#thread;
    if (thread === undefined) return { clients: 0, unflushed: 0, isAllGone: true };
    const { clients } = thread;
    thread.post({ kind: "drain", ...options });
    const withinMs = options.drainMs + (thread.isAlive ? DRAIN_MORE_MS : 0);
    const { clock } = this.#options;
    const result = await withDeadline(clock, withinMs, () => this.#drained.promise);
    if (!result.isLate) return result.value;
    thread.terminate();
    this.#forget(thread); // its clients see the end at least
    return { clients, unflushed: clients, isAllGone: false };
  }

  /** Asks the thread to close, and resolves once it has. */
  async close(): Promise<void> {
    if (this.#thread === undefined) return;
    this.#thread.post({ kind: "close" });
    await this.#closed.promise;
  }

  /** Ends the thread for good. */
  terminate(): void {
    this.#thread?.terminate();
    this.#thread = undefined;
  }

  /** Whether the message was about the thread's own coming and going. */
  #take(thread: ServingThread, message: FromThread): boolean {
    const { startOf, onMessage } = this.#options;
    switch (message.kind) {
      case "hello":
        // Until now there was nothing to tell it.
        this.#thread = thread;
        thread.post({ kind: "start", start: startOf(message.now) });
        return true;
      case "listening":
        onMessage(thread, message);
        this.#started.resolve();
        return true;
      case "drained":
        this.#drained.resolve(message.drained);
        return true;
      case "closed":
        this.#closed.resolve();
        return true;
      default:
        return false;
    }
  }

  #onEnd(thread: ServingThread, cause: Error): void {
    const { clock, number, signal } = this.#options;
    const { clients } = thread;
    if (this.#isStarting) { // whoever began it is told, and sees to it
      this.#started.reject(cause);
      return;
    }
    this.#forget(thread);
    if (signal.aborted) return;
    this.#log.error("worker.ended", {
      worker: number,
      why: cause.message,
      clients,
      effect: "its clients come back to the other threads, and another takes its place",
    });
    if (clock.now() - this.#begunAt > STEADY_MS) this.#backoff = this.#backoff.reset();
    void this.#beginAgain();
  }

  /** Those who had to do with a thread are told that it is no more. */
  #forget(thread: ServingThread): void {
    const { clients } = thread;
    if (this.#thread === thread) {
      this.#thread = undefined;
      this.#options.onGone(thread);
    }
    this.#drained.resolve({ clients, unflushed: clients, isAllGone: true });
    this.#closed.resolve();
  }

  async #beginAgain(): Promise<void> {
    const { clock, number, signal } = this.#options;
    while (!signal.aborted) {
      const waitMs = this.#backoff.waitMs();
      this.#backoff = this.#backoff.next();
      try {
        await clock.sleep(waitMs, { signal });
        await this.start();
        this.#restarts += 1;
        this.#log.info("worker.begun_again", { worker: number });
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warning("worker.not_begun", {
          worker: number,
          why: error instanceof Error ? error.message : String(error),
          next_try_within_ms: Math.round(this.#backoff.nominalMs),
        });
      }
    }
  }
}
