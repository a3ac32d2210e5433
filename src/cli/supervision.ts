import type { App } from "../server/app.ts";
import { systemClock } from "../resilience/clock.ts";
import { acceptCheck } from "../service/accept_check.ts";
import { Liveness } from "../service/liveness.ts";
import { createServiceNotifier, type ServiceNotifier } from "../service/sd_notify.ts";
import { startWatchdog } from "../service/watchdog.ts";

/** Heartbeats that may be missing before the hub counts as hung. */
const HEARTBEATS_UNTIL_HUNG = 2.5;

/**
 * The hub as its service manager sees it: told when the hub is ready, reloads and stops, and fed
 * for as long as the hub's heart beats and its door answers. Does nothing where there is no manager.
 */
export class Supervision implements AsyncDisposable {
  readonly #notifier: ServiceNotifier = createServiceNotifier(Deno.env);
  readonly #stop = new AbortController();
  readonly #liveness: Liveness;

  constructor(heartbeatEveryMs: number) {
    const withinMs = HEARTBEATS_UNTIL_HUNG * heartbeatEveryMs;
    this.#liveness = new Liveness({ clock: systemClock, withinMs });
  }

  /** The hub sent a heartbeat. */
  beat(): void {
    this.#liveness.beat();
  }

  /** The hub can be used from now on. */
  started(app: App): void {
    this.#notifier.ready(`listening on ${app.url}`);
    const { feedEveryMs } = this.#notifier;
    if (feedEveryMs === undefined) return;
    const heartbeat = () => this.#liveness.isAlive();
    // Whoever is connected to a thread that hangs hears nothing, though the others go on.
    const workers = () => app.areThreadsAlive;
    // On a port that hubs share another one may answer: that would say nothing about this one.
    const isShared = app.config.cluster?.share_port === true;
    void startWatchdog({
      everyMs: feedEveryMs,
      checks: isShared
        ? { heartbeat, workers }
        : { heartbeat, workers, accept: acceptCheck(() => app.url) },
      notify: this.#notifier,
      clock: systemClock,
      signal: this.#stop.signal,
    });
  }

  reloading(): void {
    this.#notifier.reloading();
  }

  /** A reload is over, well or not: the hub can be used as before. */
  reloaded(how: string): void {
    this.#notifier.ready(how);
  }

  stopping(): void {
    this.#notifier.stopping();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#notifier.flushed();
    this.#notifier[Symbol.dispose]();
  }
}
