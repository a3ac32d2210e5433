/// <reference lib="dom" />
import type { ConnectionState } from "../client/mod.ts";
import type { Announcer } from "./announcer.ts";
import { type ClusterStanding, describeCluster } from "./hub/cluster.ts";
import { type Child, h, update } from "./elements.ts";
import { cut, formatDuration, formatPlain, inWords } from "./format.ts";
import { badge } from "./values/paint.ts";
import type { Places } from "./places.ts";
import type { Standing, Summary } from "./summary.ts";

export interface HubFacts {
  readonly version?: string;
  readonly cluster?: ClusterStanding;
  /** Clients of this hub. */
  readonly clients?: number;
  /** Clients of all hubs of its cluster. */
  readonly clusterClients?: number;
  /** How long ago the last heartbeat came, in milliseconds. */
  readonly heartbeatAgoMs?: number;
  readonly uptimeMs?: number;
}

/** Each standing's mark, so that its colour is not needed. */
const MARKS: Readonly<Record<Standing, string>> = {
  good: "●",
  stale: "▲",
  failed: "✕",
  gone: "✕",
  idle: "○",
};

/** The sentence at the top, the window's title and icon, and what is read aloud. */
export function showSummary(places: Places, announcer: Announcer, summary: Summary): void {
  const { standing, text } = summary;
  const mark = h("span", { "aria-hidden": "true", class: "mark" }, MARKS[standing]);
  places.summary.dataset.standing = standing;
  update(places.summary, mark, ` ${text}`);
  const title = `${MARKS[standing]} ${text} – Holdfast`;
  if (document.title !== title) document.title = title;
  const icon = iconOf(standing);
  if (places.icon.getAttribute("href") !== icon) places.icon.setAttribute("href", icon);
  announcer.say(text);
}

/** Something that is wrong, and where to read of it. */
export interface NamedTrouble {
  readonly name: string;
  /** The id of its place on the page. */
  readonly at: string;
}

/** Most names in the line below the headline. */
const MAX_NAMED = 6;

/** What is wrong by name, each a way to where it is told. */
export function showNamed({ named }: Places, list: readonly NamedTrouble[]): void {
  named.hidden = list.length === 0;
  const links = list.slice(0, MAX_NAMED).map(({ name, at }) =>
    h("a", { href: `#${at}` }, cut(name, 60))
  );
  const more = list.length - MAX_NAMED;
  update(
    named,
    ...links,
    more > 0 ? h("a", { href: "#overview" }, `and ${more} more`) : undefined,
  );
}

const CROSS = "<path d='M1 4l3-3 4 4 4-4 3 3-4 4 4 4-3 3-4-4-4 4-3-3 4-4z'/>";

/** Colour and shape of the window's icon. */
const ICONS: Readonly<Record<Standing, readonly [colour: string, shape: string]>> = {
  good: ["17693f", "<circle cx='8' cy='8' r='7'/>"],
  stale: ["d9921f", "<path d='M8 1l7 14H1z'/>"],
  failed: ["a8221b", CROSS],
  gone: ["a8221b", CROSS],
  idle: ["4b5666", "<circle cx='8' cy='8' r='5' fill='none' stroke='%234b5666' stroke-width='3'/>"],
};

function iconOf(standing: Standing): string {
  const [colour, shape] = ICONS[standing];
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='%23${colour}'>`;
  return `data:image/svg+xml,${`${svg}${shape}</svg>`.replace(/[<>]/g, encodeURIComponent)}`;
}

/** The hub itself: connection, clients, heartbeat. */
export function showFacts(places: Places, connection: ConnectionState, facts: HubFacts): void {
  const { version, cluster, clients, clusterClients, heartbeatAgoMs, uptimeMs } = facts;
  update(places.version, version === undefined ? undefined : cut(version, 30));
  const rows: [string, Child | undefined][] = [
    ["Hub", connectionBadge(connection)],
    ["Cluster", cluster === undefined ? undefined : clusterBadge(cluster)],
    ["Clients", clients === undefined ? undefined : clientCount(clients, clusterClients)],
    [
      "Heartbeat",
      heartbeatAgoMs === undefined ? undefined : `${formatDuration(heartbeatAgoMs)} ago`,
    ],
    ["Up", uptimeMs === undefined ? undefined : formatDuration(uptimeMs)],
  ];
  update(
    places.facts,
    ...rows.map(([label, value]) =>
      value === undefined ? undefined : h("div", {}, h("dt", {}, label), h("dd", {}, value))
    ),
  );
}

function clusterBadge(standing: ClusterStanding): HTMLElement {
  const { tone, mark, word, note } = describeCluster(standing);
  return h("span", {}, badge(tone, mark, word), h("span", { class: "muted" }, ` ${note}`));
}

function clientCount(here: number, onAll: number | undefined): string {
  const count = formatPlain(here);
  return onAll === undefined ? count : `${count} here, ${formatPlain(onAll)} on all hubs`;
}

function connectionBadge({ kind }: ConnectionState): HTMLElement {
  switch (kind) {
    case "open":
      return badge("good", "●", "Connected");
    case "connecting":
      return badge("idle", "○", "Connecting");
    default:
      return badge("critical", "✕", "Not connected");
  }
}

/**
 * Says that the hub is gone and when it is tried again; hidden while all is well, and while the
 * page asks for a token instead.
 *
 * @param sinceMs How long the connection has been in this state.
 */
export function showBanner(
  places: Places,
  connection: ConnectionState,
  options: { sinceMs: number; hasValues: boolean },
): void {
  const text = bannerText(connection, options.sinceMs);
  places.banner.hidden = text === undefined;
  places.retry.hidden = connection.kind === "connecting";
  if (text === undefined) return;
  const before = options.hasValues ? " Everything below is from before." : "";
  update(places["banner-text"], text + before);
}

function bannerText(connection: ConnectionState, sinceMs: number): string | undefined {
  switch (connection.kind) {
    case "waiting": {
      const seconds = Math.ceil((connection.waitMs - sinceMs) / 1000);
      const when = seconds > 0
        ? `Trying again in ${formatDuration(seconds * 1000)}.`
        : "Trying again.";
      return `${sentence(connection.reason)} ${when}`;
    }
    case "connecting":
      return connection.attempt > 1 ? "Connecting again." : undefined;
    case "stopped":
      return connection.code === "unauthorized" ? undefined : sentence(connection.reason);
    default:
      return undefined;
  }
}

/** A reason as a sentence of its own. */
export function sentence(text: string): string {
  const short = cut(inWords(text), 200);
  return `${short.charAt(0).toUpperCase()}${short.slice(1)}.`;
}
