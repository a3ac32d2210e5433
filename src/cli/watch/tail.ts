import type { HoldfastClient } from "../../client/mod.ts";
import { printable } from "../printable.ts";
import { compact } from "./compact.ts";
import { age, connectionLine, errorLine, stateWord, timeOfDay, whyStale } from "./words.ts";
import type { RawText } from "./raw_text.ts";

export interface TailOptions {
  /** Writes a line of what was asked for. */
  out: (line: string) => void;
  /** Writes a line about the connection. */
  note: (line: string) => void;
  /** Wall clock in unix seconds. */
  unixSeconds: () => number;
}

/** Tells of everything a client hears in plain lines, one each, as long as the client lives. */
export function plainTail(client: HoldfastClient, { out, note, unixSeconds }: TailOptions): void {
  const now = () => timeOfDay(unixSeconds());
  tellOfConnection(client, note);
  client.on("status", (state) => {
    if (client.state.kind === "closed") return; // by us: that tells nothing of the hub
    const head = `${now()} ${state.channel} ${stateWord(state)}`;
    if (state.kind === "never_seen") out(`${head} (${printable(state.why)})`);
    else {
      const why = state.kind === "stale" ? ` (${whyStale(state)})` : "";
      out(`${head} ${age(state.ageMs)}${why} ${compact(state.data)}`);
    }
  });
  client.on("notification", (data) => out(`${now()} notification ${compact(data)}`));
  client.on("error", (event) => out(`${now()} error ${errorLine(event)}`));
  client.on("frame", ({ type, data }) => {
    if (type === "heartbeat") out(`${now()} heartbeat ${compact(data)}`);
  });
}

/** Writes every frame on a line of its own, its JSON as it was received. */
export function jsonTail(
  client: HoldfastClient,
  raw: RawText,
  { out, note }: Omit<TailOptions, "unixSeconds">,
): void {
  tellOfConnection(client, note);
  client.on("frame", (frame) => {
    const { latest } = raw;
    // Only one frame to a message was asked for; a hub that sends more is put into lines here.
    // So is one with breaks or tabs between its parts, which could not be escaped there.
    const isOneLine = latest !== undefined && latest.startsWith("{") && !/[\t\r\n]/.test(latest);
    out(isOneLine ? latest : JSON.stringify(frame));
  });
}

function tellOfConnection(client: HoldfastClient, note: (line: string) => void): void {
  client.on("state", (state) => {
    if (state.kind === "open" || state.kind === "waiting") note(connectionLine(state));
  });
  client.on("gap", () => note("some events were missed and could not be replayed"));
}
