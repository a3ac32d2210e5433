import { encodeFrame, json } from "../protocol/codec.ts";
import { errorEvent } from "../protocol/error_event.ts";
import type { Clock } from "../resilience/clock.ts";
import type { ErrorCounts } from "./error_counts.ts";
import type { Disconnects } from "./disconnects.ts";
import type { Registry } from "./registry.ts";
import type { Session } from "./session.ts";

export interface ShutdownNoticeOptions {
  clock: Clock;
  registry: Registry;
  errors: ErrorCounts;
  disconnects: Disconnects;
}

interface Announced {
  readonly deadlineMs: number;
  readonly reconnectWithinMs: number;
}

/** How the hub takes leave of its clients: every one is told, and closed once it has heard it. */
export class ShutdownNotice {
  readonly #options: ShutdownNoticeOptions;
  #announced: Announced | undefined;

  constructor(options: ShutdownNoticeOptions) {
    this.#options = options;
  }

  /**
   * Tells every client, whatever it subscribed to, that the hub is going down, each with its own
   * time to come back; also those whose connection is only just opening, as they come.
   *
   * @param deadlineMs Until then the hub keeps sending what waits.
   * @param reconnectWithinMs The clients come back spread over this time.
   */
  announce(deadlineMs: number, reconnectWithinMs: number): void {
    const { registry } = this.#options;
    this.#announced = { deadlineMs, reconnectWithinMs };
    const slice = reconnectWithinMs / Math.max(1, registry.size);
    let at = 0;
    for (const session of registry.all()) {
      // One slice of the time a client, and chance within the slice: no two come back together.
      this.#tell(session, slice * (at + Math.random()), deadlineMs);
      at += 1;
    }
  }

  /** A client has come: if the hub is on its way down, it is told as well. */
  onConnected(session: Session): void {
    if (this.#announced === undefined) return;
    const { deadlineMs, reconnectWithinMs } = this.#announced;
    this.#tell(session, reconnectWithinMs * Math.random(), deadlineMs);
  }

  /**
   * Closes every client that has taken all its frames; with `force` every client. Returns how many
   * are left.
   */
  closeFlushed(options: { force?: boolean }): number {
    const { clock, registry, disconnects } = this.#options;
    const now = clock.now();
    for (const session of registry.all()) {
      session.flush(now);
      const { isFlushed } = session;
      if (isFlushed || options.force) disconnects.seeOff(session, { isFlushed });
    }
    return registry.size;
  }

  #tell(session: Session, reconnectAfterMs: number, deadlineMs: number): void {
    const { clock, errors } = this.#options;
    const timestamp = clock.unixSeconds();
    const event = errorEvent("SERVER_SHUTDOWN", "the hub is shutting down", {
      timestamp,
      data: {
        reconnect_after_ms: Math.max(1, Math.round(reconnectAfterMs)),
        deadline_ms: deadlineMs,
      },
    });
    errors.add("SERVER_SHUTDOWN");
    session.deliver(encodeFrame("error", json(event), timestamp), "control", clock.now());
  }
}
