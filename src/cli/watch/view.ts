/** The live view as lines of text: pure, so that what it shows can be tested line by line. */
import type { ChannelState, ConnectionState } from "../../client/mod.ts";
import { column, fit } from "../printable.ts";
import type { ScreenSize } from "../screen.ts";
import type { Style } from "../style.ts";
import { compact } from "./compact.ts";
import { age, connectionLine, stateWord, whyStale } from "./words.ts";

/** All that the view shows. */
export interface ViewModel {
  readonly url: string;
  readonly connection: ConnectionState;
  /** Clients connected, by the last heartbeat. */
  readonly clients: number | undefined;
  /** Clients of all hubs of its cluster, where it has one. */
  readonly clusterClients?: number | undefined;
  readonly channels: readonly ChannelState[];
  /** Newest last. */
  readonly happenings: readonly Happening[];
}

/** A line beneath the channels. */
export interface Happening {
  readonly time: string;
  readonly text: string;
  readonly tone: "critical" | "error" | "warning" | "plain";
}

const TONES = { critical: "criticalRed", error: "red", warning: "yellow" } as const;
const STATE_CELLS = 5;
const AGE_CELLS = 7;
const LONGEST_NAME = 24;
/** Lines kept for what happened, as long as there is more than this to show channels on. */
const HAPPENING_LINES = 3;

/** Draws the view: at most as many lines as there are rows, none wider than the screen. */
export function drawView(model: ViewModel, size: ScreenSize, style: Style): string[] {
  const { columns, rows } = size;
  const { happenings } = model;
  const channels = failingFirst(model.channels);
  const lines = [header(model, columns, style)];
  const room = Math.max(1, rows - 2 - (rows > 8 ? HAPPENING_LINES : 0));
  const fits = channels.length <= room;
  const shown = fits ? channels : channels.slice(0, room - 1);
  const names = shown.map(({ channel }) => channel.length);
  const nameCells = Math.min(LONGEST_NAME, Math.max(0, ...names));
  for (const state of shown) lines.push(channelLine(state, nameCells, columns, style));
  if (!fits) lines.push(style("dim", fit(`… ${channels.length - shown.length} more`, columns)));
  lines.push(style("dim", "─".repeat(columns)));
  const left = rows - lines.length;
  const recent = left > 0 ? happenings.slice(-left) : [];
  for (const { time, text, tone } of recent) {
    const line = fit(`${time} ${text}`, columns);
    lines.push(tone === "plain" ? line : style(TONES[tone], line));
  }
  return lines.slice(0, rows);
}

/** The worst first, else in the order there is: what needs a look must not be cut off. */
function failingFirst(channels: readonly ChannelState[]): ChannelState[] {
  const rank = { stale: 0, never_seen: 1, live: 2 };
  return channels.toSorted((a, b) => rank[a.kind] - rank[b.kind]);
}

function header(model: ViewModel, columns: number, style: Style): string {
  const { url, connection, clients, clusterClients } = model;
  const isOpen = connection.kind === "open";
  const state = connectionLine(connection);
  const ofAll = clusterClients === undefined ? "" : ` of ${clusterClients} on all hubs`;
  const counted = !isOpen || clients === undefined ? "" : `, ${clients} clients${ofAll}`;
  const text = fit(`${url}  ${state}${counted}`, columns);
  const prefix = `${url}  `;
  if (!text.startsWith(prefix)) return style("bold", text);
  return style("bold", prefix) + style(isOpen ? "green" : "yellow", text.slice(prefix.length));
}

function channelLine(
  state: ChannelState,
  nameCells: number,
  columns: number,
  style: Style,
): string {
  const word = stateWord(state);
  const name = column(state.channel, nameCells);
  const head = `${name}  ${word.padEnd(STATE_CELLS)}`;
  const rest = restOf(state);
  const width = columns - nameCells - 2 - STATE_CELLS;
  if (width <= 0) return fit(head, columns);
  const colour = word === "live" ? "green" : word === "STALE" ? "yellow" : "dim";
  return `${name}  ${style(colour, word.padEnd(STATE_CELLS))}${fit(rest, width)}`;
}

function restOf(state: ChannelState): string {
  if (state.kind === "never_seen") return `${" ".repeat(AGE_CELLS)}  ${state.why}`;
  const shownAge = age(state.ageMs).padStart(AGE_CELLS);
  const why = state.kind === "stale" ? `${whyStale(state)} · ` : "";
  return `${shownAge}  ${why}${compact(state.data)}`;
}
