import { type ErrorEvent, errorEvent } from "../protocol/error_event.ts";
import type { Feeder } from "./channel_settings.ts";

/** Why a value is not what its backend or publisher would say now. */
export type Staleness =
  /** Something happened since, or may have, that the hub was not told of. */
  | { readonly kind: "doubted"; readonly why: string }
  /** No newer one came for `stale_after`. */
  | { readonly kind: "old"; readonly ageMs: number }
  /** The publisher's own `valid_for` is over. */
  | { readonly kind: "expired"; readonly validForMs: number }
  /** Nothing feeds its channel any more. */
  | { readonly kind: "removed" };

export interface StaleErrorOptions {
  channel: string;
  feeder: Feeder;
  /** Unix seconds. */
  timestamp: number;
}

/** What clients are told of it, inside the status frame. */
export function staleError(staleness: Staleness, options: StaleErrorOptions): ErrorEvent {
  const { channel, feeder, timestamp } = options;
  const data = feeder.kind === "backend" ? { channel, backend: feeder.backend } : { channel };
  const told = { timestamp, details: whyStale(staleness, feeder), data };
  if (staleness.kind === "removed") {
    return errorEvent("SOURCE_REMOVED", `no source feeds "${channel}" any more`, told);
  }
  if (staleness.kind === "doubted" || feeder.kind === "backend") {
    return errorEvent("RPC_UNAVAILABLE", `the value of "${channel}" is a cached one`, told);
  }
  const message = `the value of "${channel}" is an old one: nobody published a newer one`;
  return errorEvent("PUBLISHER_SILENT", message, told);
}

/** The reason in a sentence. */
export function whyStale(staleness: Staleness, { kind }: Feeder): string {
  switch (staleness.kind) {
    case "doubted":
      return staleness.why;
    case "old":
      return kind === "backend"
        ? `no newer value for ${staleness.ageMs} ms`
        : `nothing was published for ${staleness.ageMs} ms`;
    case "expired":
      return `its publisher said that it was valid for ${staleness.validForMs} ms`;
    case "removed":
      return "its source was taken out of the configuration";
  }
}
