import type { openLibc } from "../platform/libc.ts";
import { type Clock, systemClock } from "../resilience/clock.ts";
import { logOf } from "../telemetry/log.ts";
import { type NotifyChannel, openNotifyChannel, type Sent } from "./notify_channel.ts";

/** Tells the service manager (systemd) how the service does. No method throws or waits. */
export interface ServiceNotifier extends Disposable {
  /**
   * How often {@linkcode watchdog} is to be called, in milliseconds: a third of the time after which
   * the manager restarts a silent service. `undefined` if it does not watch this process.
   */
  readonly feedEveryMs: number | undefined;
  /** The service can be used: it has started, or a reload is over, well or not. */
  ready(status: string): void;
  /** A reload has begun; {@linkcode ready} must follow. */
  reloading(): void;
  /** The service has begun to stop; what is told after that of being ready or reloading is not sent. */
  stopping(): void;
  /** A line for people, shown by `systemctl status`. */
  status(text: string): void;
  /** The service is alive. */
  watchdog(): void;
  /** Resolves once all was sent or given up, after {@linkcode FLUSH_MS} at the latest. */
  flushed(): Promise<void>;
}

export interface ServiceNotifierOptions {
  /** Default: the machine's own. */
  clock?: Clock;
  /** How it comes by the C library; for tests. */
  openLibc?: typeof openLibc;
}

/** Pause before a message is tried again that the manager had no room for, in milliseconds. */
const RETRY_MS = 50;

/** The longest that {@linkcode ServiceNotifier.flushed} waits, in milliseconds. */
export const FLUSH_MS = 2000;

/** Longest status line, in characters; the rest is cut off. */
const STATUS_CHARACTERS = 200;

/** So many calls fall into the manager's interval: the second may fail without a restart. */
const FEEDS_PER_INTERVAL = 3;

/** Shortest feeding pace, in milliseconds, however short the manager's interval. */
const SHORTEST_FEED_MS = 10;

/**
 * Reads what the service manager has put into the environment, and takes it out again, so that no
 * child process speaks in our name. Without `NOTIFY_SOCKET` the result does nothing.
 *
 * @example
 * ```ts
 * using notifier = createServiceNotifier(Deno.env);
 * notifier.ready(`listening on ${app.url}`);
 * ```
 */
export function createServiceNotifier(
  env: Pick<Deno.Env, "get" | "delete">,
  options: ServiceNotifierOptions = {},
): ServiceNotifier {
  const { clock = systemClock, openLibc } = options;
  const socket = take(env, "NOTIFY_SOCKET");
  const interval = take(env, "WATCHDOG_USEC");
  const pid = take(env, "WATCHDOG_PID");
  if (!socket) return new Notifier({ clock });
  const channel = openNotifyChannel({
    socket,
    path: env.get("PATH"),
    ...(openLibc ? { openLibc } : {}),
  });
  if ("unavailable" in channel) {
    logOf("service").warning("notify.unavailable", {
      why: channel.unavailable,
      effect: "the service manager is not told that the hub is ready or alive, and may stop it",
    });
    return new Notifier({ clock });
  }
  return new Notifier({ clock, channel, feedEveryMs: feedEveryMs(interval, pid) });
}

function take(env: Pick<Deno.Env, "get" | "delete">, name: string): string | undefined {
  const value = env.get(name);
  if (value !== undefined) env.delete(name);
  return value;
}

function feedEveryMs(interval: string | undefined, pid: string | undefined): number | undefined {
  if (pid && pid !== String(Deno.pid)) return undefined; // meant for a parent of ours
  if (!interval || !/^[1-9]\d*$/.test(interval)) return undefined;
  return Math.max(SHORTEST_FEED_MS, Number(interval) / 1000 / FEEDS_PER_INTERVAL);
}

/** What a message is about; of two that wait about the same, the newer one counts. */
type Topic = "state" | "status" | "watchdog";

interface NotifierParts {
  readonly clock: Clock;
  /** None: nobody listens. */
  readonly channel?: NotifyChannel;
  readonly feedEveryMs?: number | undefined;
}

class Notifier implements ServiceNotifier {
  readonly feedEveryMs: number | undefined;
  readonly #clock: Clock;
  readonly #channel: NotifyChannel | undefined;
  readonly #disposed = new AbortController();
  /** What was not sent yet: at most one entry a topic. */
  readonly #waiting = new Map<Topic, string>();
  /** A message under way, or the pause before the next try. */
  #busy: Promise<void> | undefined;
  #status = "";
  #failure: string | undefined;
  /** It was told of the end: there is no state after that one. */
  #isStopping = false;

  constructor({ clock, channel, feedEveryMs }: NotifierParts) {
    this.#clock = clock;
    this.#channel = channel;
    this.feedEveryMs = feedEveryMs;
  }

  ready(status: string): void {
    if (this.#isStopping) return;
    this.#waiting.set("state", "READY=1");
    this.#setStatus(status);
    this.#flush();
  }

  reloading(): void {
    if (this.#isStopping) return;
    const time = this.#channel?.monotonicMicroseconds();
    const stamp = time === undefined ? "" : `\nMONOTONIC_USEC=${time}`;
    this.#waiting.set("state", `RELOADING=1${stamp}`);
    this.#flush();
  }

  stopping(): void {
    this.#isStopping = true;
    this.#waiting.set("state", "STOPPING=1");
    this.#flush();
  }

  status(text: string): void {
    this.#setStatus(text);
    this.#flush();
  }

  watchdog(): void {
    this.#waiting.set("watchdog", "WATCHDOG=1");
    this.#flush();
  }

  async flushed(): Promise<void> {
    const end = this.#clock.now() + FLUSH_MS;
    while (this.#busy && this.#clock.now() < end) await this.#busy;
  }

  [Symbol.dispose](): void {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort();
    this.#waiting.clear();
    this.#channel?.[Symbol.dispose]();
  }

  #setStatus(text: string): void {
    // A line break would begin another variable of the message.
    const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, STATUS_CHARACTERS);
    if (line === this.#status) return;
    this.#status = line;
    this.#waiting.set("status", `STATUS=${line}`);
  }

  #flush(): void {
    if (this.#channel === undefined || this.#disposed.signal.aborted) return this.#waiting.clear();
    if (this.#busy || this.#waiting.size === 0) return;
    const lines = new Map(this.#waiting);
    this.#waiting.clear();
    const sent = this.#channel.send([...lines.values()].join("\n"));
    if (sent instanceof Promise) {
      this.#occupy(sent.then((result) => this.#settle(result, lines)));
    } else if (this.#settle(sent, lines) === "again") {
      this.#occupy(this.#pause());
    }
  }

  /** Sends nothing else until `work` is over, and then what has come up meanwhile. */
  #occupy(work: Promise<unknown>): void {
    this.#busy = work.then(() => {
      this.#busy = undefined;
      this.#flush();
    });
  }

  #settle(sent: Sent, lines: ReadonlyMap<Topic, string>): "done" | "again" {
    if (this.#disposed.signal.aborted) return "done";
    if (sent.ok) {
      this.#failure = undefined;
      return "done";
    }
    const { why, again } = sent;
    if (why !== this.#failure) { // once for as long as it lasts
      logOf("service").warning("notify.failed", { why, retried: again });
      this.#failure = why;
    }
    if (!again) return "done";
    for (const [topic, line] of lines) {
      if (!this.#waiting.has(topic)) this.#waiting.set(topic, line);
    }
    return "again";
  }

  #pause(): Promise<void> {
    return this.#clock.sleep(RETRY_MS, { signal: this.#disposed.signal }).catch(() => {});
  }
}
