import type { Hub } from "../hub/hub.ts";
import { errorEvent } from "../protocol/error_event.ts";
import type { Clock } from "../resilience/clock.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Role } from "./presence.ts";

export interface OutageNoticeOptions {
  clock: Clock;
  hub: Pick<Hub, "value" | "error">;
  values: ValueStore;
  /** After how long an absence the hub does without the stream, in milliseconds. */
  graceMs: number;
}

/** What a hub tells its own clients while the shared stream is silent: that it is, and of what. */
export class OutageNotice {
  readonly #options: OutageNoticeOptions;
  #wasTold = false;

  constructor(options: OutageNoticeOptions) {
    this.#options = options;
  }

  /** The stream is out of reach: nothing that is held can be called current. */
  tell(why: string): void {
    const { clock, hub, values, graceMs } = this.#options;
    this.#wasTold = true;
    values.distrust("stream", `the stream that hubs share is out of reach: ${why}`);
    hub.error(
      errorEvent("CLUSTER_LOST", "the hub has lost the stream that hubs share", {
        timestamp: clock.unixSeconds(),
        details: why,
        data: { alone_after_ms: graceMs },
      }),
    );
    for (const channel of values.channels()) this.#show(channel);
  }

  /** The stream is followed again; says nothing to those who never heard that it was lost. */
  over(role: Role): void {
    if (!this.#wasTold) return;
    this.#wasTold = false;
    const { clock, hub, values } = this.#options;
    hub.error(
      errorEvent("CLUSTER_RECOVERED", "the hub is back with the stream that hubs share", {
        timestamp: clock.unixSeconds(),
        data: { role },
      }),
    );
    for (const channel of values.channels()) this.#show(channel);
  }

  /** Shows a value as it stands now, although the stream says nothing of it. */
  #show(channel: string): void {
    const { hub, values } = this.#options;
    const status = values.read(channel);
    if (status) hub.value(channel, status);
  }
}
