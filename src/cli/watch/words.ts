/** What `watch` says, the same words on a terminal and in a pipe. */
import type { ChannelState, ConnectionState, ErrorEvent } from "../../client/mod.ts";
import { printable } from "../printable.ts";

/** An age in the largest unit that tells enough: `950 ms` is `0s`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  if (seconds < 86_400) {
    return `${Math.floor(seconds / 3600)}h${pad(Math.floor(seconds / 60) % 60)}m`;
  }
  return `${Math.floor(seconds / 86_400)}d${pad(Math.floor(seconds / 3600) % 24)}h`;
}

/** The time of day, in this machine's zone. */
export function timeOfDay(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  if (Number.isNaN(date.getTime())) return "--:--:--";
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(":");
}

/** The state of a channel in a word. */
export function stateWord({ kind }: ChannelState): "live" | "STALE" | "none" {
  if (kind === "live") return "live";
  return kind === "stale" ? "STALE" : "none";
}

/** Why a channel's value is stale, as fully as it is known. */
export function whyStale(state: Extract<ChannelState, { kind: "stale" }>): string {
  const { why, error } = state;
  // The hub's message only repeats that the value is old; its details say why.
  return printable(why === error?.message ? error.details ?? why : why);
}

/** An error in a line, without its time. */
export function errorLine({ code, severity, message, details }: ErrorEvent): string {
  const more = details === undefined ? "" : ` (${details})`;
  return printable(`${code} ${severity}: ${message}${more}`);
}

/** How the connection stands, in a few words. */
export function connectionLine(state: ConnectionState): string {
  switch (state.kind) {
    case "connecting":
      return state.attempt > 1 ? `connecting, attempt ${state.attempt}` : "connecting";
    case "open":
      return "connected";
    case "waiting":
      return printable(`${state.reason}; trying again in ${(state.waitMs / 1000).toFixed(1)}s`);
    case "stopped":
      return printable(`stopped: ${state.reason}`);
    case "closed":
      return "closed";
  }
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}
