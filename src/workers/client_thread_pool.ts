import type { Config } from "../config/schema.ts";
import type { HubMirror } from "../hub/hub_mirror.ts";
import { Backoff } from "../resilience/backoff.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import type {
  ClientThreads,
  ClientThreadsPlace,
  OpenClientThreads,
} from "../server/client_threads.ts";
import type { Listeners } from "../server/sockets/listeners.ts";
import type { ClientFigures } from "../server/reports/client_figures.ts";
import type { WorkerReport } from "../server/reports/status_report.ts";
import type { Drained } from "../server/shutdown.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { Metric } from "../telemetry/metrics.ts";
import { allFigures, sumOf, type ThreadFigures, withoutHoldings } from "./figures.ts";
import { Gateway } from "./gateway.ts";
import type { ChannelList, FromThread, ThreadStart, ToThread } from "./messages.ts";
import { errorOf, LOOK_EVERY_MS, ServingThread } from "./serving_thread.ts";
import { threadMetrics } from "./thread_metrics.ts";
import { ValueRelay } from "./value_relay.ts";

/** How the threads' log lines are written. */
export interface ThreadLogs {
  readonly journal: boolean;
  write(line: string): void;
}

/** What a test may have otherwise. */
export interface ThreadOptions {
  entry?: URL;
  lookEveryMs?: number;
}

/** A thread has this long to listen, in milliseconds. */
const START_MS = 15_000;

/** One that has ended is begun again after such a wait, in milliseconds; and what ends the growing. */
const RESTART = { minMs: 100, maxMs: 30_000, jitter: 0.2 };
const STEADY_MS = 60_000;

/** Answers that speak of all threads wait this long for what they have counted, in milliseconds. */
const FIGURES_MS = 250;

/** Beyond their time, threads get this long to see their clients off and to close, in milliseconds. */
const DRAIN_MORE_MS = 1500;
const CLOSE_MS = 400;

interface Slot {
  readonly number: number;
  thread: ServingThread | undefined;
  /** Resolves once its thread listens. */
  started: PromiseWithResolvers<void>;
  drained: PromiseWithResolvers<Drained>;
  closed: PromiseWithResolvers<void>;
  backoff: Backoff;
}

/** The threads of a hub; `logs`: how their lines are written. Default: nobody reads them. */
export function clientThreads(logs?: ThreadLogs, options?: ThreadOptions): OpenClientThreads {
  return (place) => new ClientThreadPool(place, logs, options);
}

/**
 * The threads that serve the clients of one port. Each repeats what the main thread's hub says; what
 * is asked of them is answered by the main thread. One that ends is replaced.
 */
export class ClientThreadPool implements ClientThreads {
  readonly #place: ClientThreadsPlace;
  readonly #logs: ThreadLogs | undefined;
  readonly #options: ThreadOptions;
  readonly #log: Log = logOf("workers");
  readonly #gateway: Gateway;
  readonly #values: ValueRelay;
  readonly #slots: readonly Slot[];
  readonly #stop = new AbortController();
  /** What threads had counted that are no more. */
  #gone: ThreadFigures | undefined;
  #url = "";
  #listen: Config["listen"] | undefined;
  #mark = 0;
  #restarts = 0;
  #mishaps = 0;

  constructor(place: ClientThreadsPlace, logs?: ThreadLogs, options: ThreadOptions = {}) {
    this.#place = place;
    this.#options = options;
    this.#logs = logs;
    const { authenticator, expiries, handler, policy, values, count } = place;
    this.#gateway = new Gateway({
      authenticator,
      expiries,
      handler,
      rules: () => {
        const { trustProxy, origins } = policy();
        return { trustProxy, origins };
      },
      refresh: () => this.#refresh(),
    });
    this.#values = new ValueRelay(values, (message, chars) => this.#post(message, chars));
    this.#slots = Array.from({ length: count }, (_, at) => newSlot(at + 1));
  }

  get visits(): ClientThreads["visits"] {
    return this.#gateway.visits;
  }

  get url(): string {
    return this.#url;
  }

  get areAlive(): boolean {
    return this.#slots.every(({ thread }) => thread?.isAlive === true);
  }

  get mishaps(): number {
    return this.#mishaps;
  }

  readonly isHttp2: ClientThreads["isHttp2"] = (peer) => this.#gateway.isHttp2(peer);

  rulesChanged(): void {
    this.#gateway.rulesChanged();
  }

  /** What the hub says, told to all threads. */
  readonly mirror: HubMirror = this.#mirrorOf();

  #mirrorOf(): HubMirror {
    const clients = () => this.#live().reduce((sum, { clients }) => sum + clients, 0);
    return {
      get clients() {
        return clients();
      },
      broadcast: (frame) => this.#post({ kind: "broadcast", frame }, frame.data.length),
      value: (channel, status, place) => {
        const lean = this.#values.lean(channel, status);
        const chars = "data" in lean ? lean.data.length : 0;
        this.#post({ kind: "value", channel, status: lean, place }, chars);
      },
      relay: ({ code: _counted, ...frame }, { hadBefore }) => {
        // Errors are counted by the hub that is repeated.
        this.#post({ kind: "relay", frame, hadBefore }, frame.data.length);
      },
      remember: ({ code: _counted, ...frame }) => {
        this.#post({ kind: "remember", frame }, frame.data.length);
      },
      follow: (position, options) => this.#post({ kind: "follow", position, options }),
      leave: (position) => this.#post({ kind: "leave", position }),
      learn: (departure) => this.#post({ kind: "learn", departure }),
      channelsChanged: () => this.#post({ kind: "channels", channels: this.#channels() }),
      mark: () => {
        this.#mark += 1;
        this.#post({ kind: "mark", mark: this.#mark });
        return this.#mark;
      },
    };
  }

  async listen({ listen, cluster }: Parameters<Listeners["listen"]>[0]): Promise<void> {
    // Threads share the port, and would do so with another process: that has to be found out first.
    if (!cluster?.share_port && listen.port !== 0) Deno.listen(listen).close();
    this.#listen = listen;
    try {
      // One after the other: each has to find its own socket among those that listen.
      for (const slot of this.#slots) await this.#start(slot);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Has all threads read the certificate again; where one cannot, the old one stays. */
  async renew(config: Config): Promise<void> {
    for (const thread of this.#live()) {
      const answer = await thread.ask((id) => ({ kind: "renew", id, config }));
      if (answer?.kind === "renewed" && answer.fault) throw errorOf(answer.fault);
    }
  }

  /** Looks after the threads until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { lookEveryMs = LOOK_EVERY_MS } = this.#options;
    try {
      for (;;) {
        await this.#place.clock.sleep(lookEveryMs, { signal });
        for (const thread of this.#live()) thread.look();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  figures(): ClientFigures {
    const hub = this.#place.hub();
    const threads = this.#live().flatMap(({ figures }) => figures ?? []);
    const sum = sumOf([...threads, ...this.#gone ? [this.#gone] : []]);
    const own = { errors: hub.errorMetrics(), traffic: hub.stats };
    if (sum !== undefined) return allFigures(own, sum);
    const sockets = { pending: 0, pendingEnded: new Map(), listenerLosses: 0 };
    return { ...own, backlog: hub.backlog(), sockets };
  }

  reports(): WorkerReport[] {
    return this.#slots.map(({ thread }) => ({
      clients: thread?.clients ?? 0,
      loop_lag_ms: Math.round(thread?.figures?.lagMs ?? 0),
    }));
  }

  metrics(): Metric[] {
    const threads = this.#slots.map(({ number, thread }, at) => ({
      number,
      isAlive: thread?.isAlive === true,
      ...this.reports()[at] ?? { clients: 0, loop_lag_ms: 0 },
    }));
    return threadMetrics(threads, this.#restarts);
  }

  async drain(options: { drainMs: number; reconnectWithinMs: number }): Promise<Drained> {
    this.#stop.abort(); // nobody is begun again from now on
    const slots = this.#slots.filter(({ thread }) => thread !== undefined);
    const told = slots.map(async ({ thread, drained }): Promise<Drained> => {
      if (thread === undefined) return NOBODY;
      const { clients } = thread;
      thread.post({ kind: "drain", ...options });
      const within = options.drainMs + DRAIN_MORE_MS;
      const result = await withDeadline(this.#place.clock, within, () => drained.promise);
      return result.isLate ? { clients, unflushed: clients, isAllGone: false } : result.value;
    });
    const all = await Promise.all(told);
    return {
      clients: all.reduce((sum, each) => sum + each.clients, 0),
      unflushed: all.reduce((sum, each) => sum + each.unflushed, 0),
      isAllGone: all.every((each) => each.isAllGone),
    };
  }

  /** Ends all threads, in bounded time. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#values[Symbol.dispose]();
    const closed = this.#slots.filter(({ thread }) => thread !== undefined)
      .map(({ thread, closed }) => {
        thread?.post({ kind: "close" });
        return closed.promise;
      });
    await withDeadline(this.#place.clock, CLOSE_MS, () => Promise.all(closed));
    for (const thread of this.#live()) thread.terminate();
  }

  #live(): ServingThread[] {
    return this.#slots.flatMap(({ thread }) => thread ?? []);
  }

  #post(message: ToThread, chars = 0): void {
    for (const { thread } of this.#slots) thread?.post(message, chars);
  }

  async #start(slot: Slot): Promise<void> {
    slot.started = Promise.withResolvers();
    slot.started.promise.catch(() => {}); // it may fail before anybody waits for it
    slot.drained = Promise.withResolvers();
    slot.closed = Promise.withResolvers();
    const begunAt = this.#place.clock.now();
    const thread = new ServingThread({
      number: slot.number,
      entry: this.#options.entry,
      onMessage: (thread, message) => this.#onMessage(slot, thread, message),
      onEnd: (thread, why) => this.#onEnd(slot, thread, { why, begunAt }),
    });
    const { promise } = slot.started;
    // Until it says hello there is nothing to tell it.
    slot.thread = undefined;
    const result = await withDeadline(this.#place.clock, START_MS, () => promise).catch((error) => {
      thread.terminate();
      throw error;
    });
    if (!result.isLate) return;
    thread.terminate();
    this.#gateway.ended(thread);
    slot.thread = undefined;
    throw new Error(`a thread did not begin to listen within ${START_MS} ms`);
  }

  #onMessage(slot: Slot, thread: ServingThread, message: FromThread): void {
    const { clock, tellLoss, tellDeparture, hub } = this.#place;
    switch (message.kind) {
      case "hello":
        slot.thread = thread;
        thread.post({ kind: "start", start: this.#startOf(message.now) });
        return;
      case "listening":
        this.#onListening(message);
        thread.sockets = message.sockets;
        thread.isListening = true;
        slot.started.resolve();
        return;
      case "failed":
        slot.thread = undefined;
        slot.started.reject(errorOf(message.fault));
        return;
      case "request":
        void this.#gateway.answer(thread, message.id, message.request);
        return;
      case "chunk":
        this.#gateway.chunk(thread, message.id, message.bytes, message.isBroken);
        return;
      case "left":
        this.#gateway.left(message.visit);
        return;
      case "loss":
        tellLoss(message.event);
        return;
      case "departure":
        hub().learn(message.departure);
        tellDeparture(message.departure);
        return;
      case "drained":
        slot.drained.resolve(message.drained);
        return;
      case "closed":
        slot.closed.resolve();
        return;
      case "log":
        this.#logs?.write(message.line);
        return;
      case "mishap":
        this.#mishaps += 1;
        this.#log.error("worker.mishap", { worker: slot.number, why: message.why });
        return;
      case "pulse":
        thread.post({ kind: "clocks", clocks: { thread: message.now, main: clock.now() } });
    }
  }

  #onListening({ url, port }: { url: string; port: number }): void {
    this.#url = url;
    if (this.#listen?.port === 0) this.#listen = { ...this.#listen, port };
  }

  #onEnd(slot: Slot, thread: ServingThread, { why, begunAt }: { why: string; begunAt: number }) {
    const { clock } = this.#place;
    const { clients } = thread;
    slot.thread = undefined;
    // A thread that hangs cannot be ended: it is left to itself, but its clients are not.
    if (thread.sockets) this.#place.sockets.endAll(thread.sockets);
    if (thread.figures) {
      this.#gone = sumOf([withoutHoldings(thread.figures), ...this.#gone ? [this.#gone] : []]);
    }
    this.#gateway.ended(thread);
    slot.drained.resolve({ clients, unflushed: clients, isAllGone: true });
    slot.closed.resolve();
    slot.started.reject(new Error(`a thread ended before it listened: ${why}`));
    if (this.#stop.signal.aborted || this.#url === "") return;
    this.#log.error("worker.ended", {
      worker: slot.number,
      why,
      clients,
      effect: "its clients come back to the other threads, and another takes its place",
    });
    if (clock.now() - begunAt > STEADY_MS) slot.backoff = slot.backoff.reset();
    void this.#beginAgain(slot);
  }

  async #beginAgain(slot: Slot): Promise<void> {
    const { signal } = this.#stop;
    const { clock } = this.#place;
    while (!signal.aborted) {
      const waitMs = slot.backoff.waitMs();
      slot.backoff = slot.backoff.next();
      try {
        await clock.sleep(waitMs, { signal });
        await this.#start(slot);
        this.#restarts += 1;
        this.#log.info("worker.begun_again", { worker: slot.number });
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warning("worker.not_begun", { worker: slot.number, why: reason });
      }
    }
  }

  #startOf(threadNow: number): ThreadStart {
    const { clock, count, config, hub } = this.#place;
    const listen = this.#listen ?? config().listen;
    return {
      config: config(),
      listen,
      threads: count,
      hub: hub().toRecord(),
      values: this.#values.all(),
      channels: this.#channels(),
      mark: this.#mark,
      ...(this.#logs ? { logs: { journal: this.#logs.journal } } : {}),
      clocks: { thread: threadNow, main: clock.now() },
    };
  }

  #channels(): ChannelList {
    const { statusChannels, isOffered, values } = this.#place;
    const status = statusChannels();
    return {
      status,
      offered: status.filter(isOffered),
      settings: values.allSettings(),
    };
  }

  /** Asks every thread for what it has counted; who does not answer in time is known by what it said last. */
  async #refresh(): Promise<void> {
    const asked = this.#live().map(async (thread) => {
      const answer = await thread.ask((id) => ({ kind: "report", id }));
      if (answer?.kind === "figures") thread.figures = answer.figures;
    });
    await withDeadline(this.#place.clock, FIGURES_MS, () => Promise.all(asked));
  }
}

const NOBODY: Drained = { clients: 0, unflushed: 0, isAllGone: true };

function newSlot(number: number): Slot {
  return {
    number,
    thread: undefined,
    started: Promise.withResolvers(),
    drained: Promise.withResolvers(),
    closed: Promise.withResolvers(),
    backoff: new Backoff(RESTART),
  };
}
