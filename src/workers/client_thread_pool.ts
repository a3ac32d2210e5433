import type { Config } from "../config/schema.ts";
import type { HubMirror } from "../hub/hub_mirror.ts";
import { SharedRun } from "../resilience/shared_run.ts";
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
import { errorOf, LOOK_EVERY_MS, type ServingThread } from "./serving_thread.ts";
import { threadMetrics } from "./thread_metrics.ts";
import { ThreadSlot } from "./thread_slot.ts";
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

/** How long a thread gets to tell what it has counted, in milliseconds: else its last word counts. */
const FIGURES_MS = 1000;

/** How long a thread gets to change its certificate, in milliseconds: else it does so once it can. */
const RENEW_MS = 3000;

/** Threads get this long to close, in milliseconds. */
const CLOSE_MS = 400;

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
  readonly #slots: readonly ThreadSlot[];
  readonly #stop = new AbortController();
  /** What threads had counted that are no more. */
  #gone: ThreadFigures | undefined;
  #url = "";
  #listen: Config["listen"] | undefined;
  #mark = 0;
  #mishaps = 0;
  /** However many want to know, the threads are asked once at a time. */
  readonly #asking = new SharedRun(() => this.#askAll());

  constructor(place: ClientThreadsPlace, logs?: ThreadLogs, options: ThreadOptions = {}) {
    this.#place = place;
    this.#options = options;
    this.#logs = logs;
    const { clock, authenticator, expiries, handler, policy, values, count } = place;
    this.#gateway = new Gateway({
      authenticator,
      expiries,
      handler,
      rules: () => {
        const { trustProxy, origins } = policy();
        return { trustProxy, origins };
      },
    });
    this.#values = new ValueRelay(values, (message, chars) => this.#post(message, chars));
    this.#slots = Array.from({ length: count }, (_, at) =>
      new ThreadSlot({
        clock,
        number: at + 1,
        entry: options.entry,
        signal: this.#stop.signal,
        startOf: (threadNow) => this.#startOf(at + 1, threadNow),
        onMessage: (thread, message) => this.#onMessage(thread, message),
        onGone: (thread) => this.#onGone(thread),
      }));
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
    this.#post({ kind: "logs", log: this.#place.config().log });
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
      for (const slot of this.#slots) await slot.start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Has all threads read the certificate again; where one cannot, the old one stays. */
  async renew(config: Config): Promise<void> {
    for (const thread of this.#live()) {
      // One that hangs reads it if it ever goes on, and is not waited for.
      const withinMs = thread.isSilent ? 0 : RENEW_MS;
      const answer = await thread.ask((id) => ({ kind: "renew", id, config }), withinMs);
      if (answer?.kind === "renewed" && answer.fault) throw errorOf(answer.fault);
    }
  }

  /** Looks after the threads until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { lookEveryMs = LOOK_EVERY_MS } = this.#options;
    try {
      for (;;) {
        await this.#place.clock.sleep(lookEveryMs, { signal });
        for (const thread of this.#live()) {
          const wasSilent = thread.isSilent;
          thread.look();
          if (thread.isSilent && !wasSilent) this.#onSilent(thread);
        }
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

  /** Resolves once every thread that answers has told what it has counted since this was asked. */
  refresh(): Promise<void> {
    return this.#asking.run();
  }

  reports(): WorkerReport[] {
    return this.#slots.map((slot) => slot.report());
  }

  metrics(): Metric[] {
    const restarts = this.#slots.reduce((sum, slot) => sum + slot.restarts, 0);
    return threadMetrics(this.#slots.map(({ state }) => state), restarts);
  }

  async drain(options: { drainMs: number; reconnectWithinMs: number }): Promise<Drained> {
    this.#stop.abort(); // nobody is begun again from now on
    const all = await Promise.all(this.#slots.map((slot) => slot.drain(options)));
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
    const closing = this.#slots.map((slot) => slot.close());
    await withDeadline(this.#place.clock, CLOSE_MS, () => Promise.all(closing));
    for (const slot of this.#slots) slot.terminate();
  }

  #live(): ServingThread[] {
    return this.#slots.flatMap(({ thread }) => thread ?? []);
  }

  #post(message: ToThread, chars = 0): void {
    for (const { thread } of this.#slots) thread?.post(message, chars);
  }

  #onMessage(thread: ServingThread, message: FromThread): void {
    const { clock, tellLoss, tellDeparture, hub } = this.#place;
    switch (message.kind) {
      case "listening":
        this.#onListening(message);
        thread.sockets = message.sockets;
        thread.isListening = true;
        return;
      case "request":
        void this.#gateway.answer(thread, message);
        return;
      case "chunk":
        this.#gateway.chunk(thread, message);
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
      case "log":
        this.#logs?.write(message.line);
        return;
      case "mishap":
        this.#mishaps += 1;
        this.#log.error("worker.mishap", { worker: thread.number, why: message.why });
        return;
      case "pulse":
        thread.post({ kind: "clocks", clocks: { thread: message.now, main: clock.now() } });
    }
  }

  #onListening({ url, port }: { url: string; port: number }): void {
    this.#url = url;
    if (this.#listen?.port === 0) this.#listen = { ...this.#listen, port };
  }

  /** A thread hangs: who comes from now on shall come to others. */
  #onSilent(thread: ServingThread): void {
    const hasOthers = this.#live().some(({ isAlive }) => isAlive);
    if (thread.sockets && hasOthers) this.#place.sockets.stopListening(thread.sockets);
  }

  #onGone(thread: ServingThread): void {
    // A thread that hangs cannot be ended: it is left to itself, but its clients are not.
    if (thread.sockets) this.#place.sockets.endAll(thread.sockets);
    if (thread.figures) {
      this.#gone = sumOf([withoutHoldings(thread.figures), ...this.#gone ? [this.#gone] : []]);
    }
    this.#gateway.ended(thread);
  }

  #startOf(number: number, threadNow: number): ThreadStart {
    const { clock, count, config, hub } = this.#place;
    const listen = this.#listen ?? config().listen;
    return {
      config: config(),
      listen,
      number,
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
  async #askAll(): Promise<void> {
    const asked = this.#live().filter(({ isSilent }) => !isSilent).map(async (thread) => {
      const answer = await thread.ask((id) => ({ kind: "report", id }), FIGURES_MS);
      if (answer?.kind === "figures") thread.figures = answer.figures;
    });
    await Promise.all(asked);
  }
}
