import type { JsonText } from "../../src/protocol/codec.ts";
import { type Moment, momentOf } from "../../src/resilience/clock.ts";
import type { ChannelSettings } from "../../src/values/channel_settings.ts";
import type { NewValue } from "../../src/values/value.ts";
import { ValueStore } from "../../src/values/value_store.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A channel that a source of backend "core" feeds. */
export function polled(staleAfterMs = 15_000): ChannelSettings {
  return { feeder: { kind: "backend", backend: "core" }, staleAfterMs };
}

/** A channel that is published on. */
export function published(staleAfterMs = Infinity): ChannelSettings {
  return { feeder: { kind: "publisher" }, staleAfterMs };
}

/** A store with a clock moved by hand, and what its listeners were told. */
export class StoreBench {
  readonly clock = new FakeClock();
  readonly values: ValueStore;
  /** Changes of standing: channel, standing, cause, and why. */
  readonly told: string[] = [];

  constructor(settings: Record<string, ChannelSettings> = { a: polled() }) {
    this.values = new ValueStore({ clock: this.clock });
    this.values.configure(new Map(Object.entries(settings)));
    this.values.subscribe({
      onStanding: ({ channel, standing, cause, why }) =>
        void this.told.push(
          `${channel} ${standing} by ${cause}${why === undefined ? "" : `: ${why}`}`,
        ),
    });
  }

  get now(): Moment {
    return momentOf(this.clock);
  }

  put(channel: string, value: unknown, options: Partial<NewValue> = {}) {
    return this.values.put(channel, {
      text: JSON.stringify(value) as JsonText,
      calledAt: this.now,
      origin: "poll",
      ...options,
    });
  }

  /** A channel's value as shown: its text, how it stands, its age in milliseconds. */
  shown(channel = "a"): string | undefined {
    const status = this.values.read(channel);
    if (status === undefined) return undefined;
    const { data, is_stale, age_ms, error } = status;
    return `${data} ${is_stale ? `stale ${error?.code}` : "fresh"} ${age_ms}`;
  }
}
