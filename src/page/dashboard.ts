/// <reference lib="dom" />
import type { ConnectionState, ErrorEvent } from "../client/mod.ts";
import { Announcer } from "./announcer.ts";
import { Attention } from "./attention.ts";
import type { ShownUptime } from "./charts/uptime_strip.ts";
import { update } from "./elements.ts";
import { timeZone } from "./format.ts";
import {
  type NamedTrouble,
  sentence,
  showBanner,
  showFacts,
  showNamed,
  showSummary,
} from "./header.ts";
import { askForText } from "./hub/ask_hub.ts";
import { Backends } from "./hub/backends.ts";
import { TokenForm } from "./hub/door.ts";
import { HubLink } from "./hub/hub_link.ts";
import { openWithToken } from "./hub/linked_pages.ts";
import { HubMemory } from "./hub/memory.ts";
import { type ShownStatus, StatusWatch } from "./hub/status_watch.ts";
import { forgetToken, storedToken } from "./hub/token.ts";
import { NewerBuild } from "./newer_build.ts";
import { Permalink } from "./permalink.ts";
import { findPlaces, type Places } from "./places.ts";
import { backendItem } from "./reports/lists.ts";
import { EventLists, ifNone } from "./reports/event_lists.ts";
import { matches } from "./search.ts";
import { Board } from "./sources/board.ts";
import { Histories } from "./sources/histories.ts";
import { Overview } from "./sources/overview.ts";
import { gravestFirst, type Source, type Sources, sourcesOf } from "./sources/source.ts";
import { summarize } from "./summary.ts";

/** Least time between two renderings, and the time after which ages are shown anew, in milliseconds. */
const RENDER_AFTER_MS = 60;
const TICK_MS = 1000;

/** Errors after which `/status` has another role to show. */
const CLUSTER = /^CLUSTER_/;

/** Seconds of the windows that charts can show, by the duration that the hub is asked for. */
const WINDOWS: Readonly<Record<string, number>> = {
  "15m": 900,
  "1h": 3600,
  "6h": 21_600,
  "1d": 86_400,
};
const USUAL_WINDOW = 3600;

/** Where the hub is: the page may live under a path of a proxy. */
const hub = new URL(".", location.origin + location.pathname);

const asked = { hub, token: storedToken };

/** Joins the hub's word and the page's places; what is shown where is in the rooms below. */
export class Dashboard {
  readonly #places: Places = findPlaces();
  readonly #announcer = new Announcer(this.#places.spoken);
  readonly #attention = new Attention(this.#places.notify);
  readonly #newerBuild = new NewerBuild();
  readonly #door = new TokenForm(this.#places, { onToken: (token) => this.#link.useToken(token) });
  readonly #backends = new Backends();
  readonly #reports = new EventLists(this.#places);
  readonly #histories = new Histories(USUAL_WINDOW);
  readonly #link = new HubLink({
    hub,
    onState: (state, before) => this.#onState(state, before),
    onStatus: ({ kind, channel, ...rest }) => {
      if (kind === "stale" && "error" in rest && rest.error) {
        this.#backends.hear(rest.error, performance.now());
      }
      this.#touched.add(channel);
      this.#renderSoon();
    },
    onError: (error) => this.#onError(error),
    onGap: () => {
      this.#reports.gap();
      this.#renderSoon();
    },
    onHeartbeat: () => this.#renderSoon(),
    onNotification: (data) => {
      this.#reports.notification(data);
      this.#renderSoon();
    },
  });
  readonly #watch = new StatusWatch({
    ...asked,
    wanted: () => this.#isLookedAt(),
    onReport: (report) => this.#onReport(report),
  });
  readonly #memory = new HubMemory({
    ...asked,
    wanted: () => this.#isLookedAt(),
    onPoints: (points) => {
      this.#histories.recall(points);
      for (const channel of Object.keys(points)) this.#board.touch(channel);
      this.#renderSoon();
    },
    onUptimes: (uptimes) => {
      this.#uptimes = uptimes;
      this.#renderSoon();
    },
    onIncidents: (incidents) => {
      this.#reports.incidents(incidents);
      this.#renderSoon();
    },
    onNotifications: (list) => {
      this.#reports.notifications(list);
      this.#renderSoon();
    },
  });
  readonly #permalink = new Permalink((id) => {
    const prefix = "incident-";
    if (id.startsWith(prefix)) this.#memory.lookFor(id.slice(prefix.length));
  });
  readonly #overview = new Overview({
    places: this.#places,
    historyOf: (channel) => this.#histories.of(channel),
  });
  readonly #board = new Board({
    places: this.#places,
    ask: (channel) => askForText(asked, `snapshot/${channel}`),
    context: ({ channel, backend }) => ({
      backend: this.#link.isOpen ? this.#backends.behind(channel, backend) : undefined,
      history: this.#histories.of(channel),
      uptime: Object.hasOwn(this.#uptimes, channel) ? this.#uptimes[channel] : undefined,
      uptimeFor: this.#uptimeFor,
      now: performance.now(),
    }),
  });
  /** Channels of which something came that is not shown yet. */
  readonly #touched = new Set<string>();
  #uptimes: Readonly<Record<string, ShownUptime>> = {};
  #uptimeFor = "24 h";
  #report: ShownStatus | undefined;
  #reportedAt = 0;
  #rendering: ReturnType<typeof setTimeout> | undefined;

  /** @param wantsToken Whether the hub said so when it sent the page. */
  start(wantsToken: boolean): void {
    const { retry, forget, links, zone, cards } = this.#places;
    update(zone, timeZone());
    document.body.classList.toggle("kiosk", new URLSearchParams(location.search).has("kiosk"));
    openWithToken(links, asked);
    openWithToken(cards, asked);
    retry.addEventListener("click", () => this.#link.reconnect());
    forget.addEventListener("click", () => {
      forgetToken();
      location.reload();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#memory.opened(); // timers of a hidden tab hardly run
      this.#watch.soon();
      this.#renderSoon();
    });
    this.#listenToTools();
    setInterval(() => document.hidden || this.#renderSoon(), TICK_MS);
    this.#link.start({ wantsToken });
    this.#permalink.start();
    this.#render();
  }

  #listenToTools(): void {
    const { search, window, uptime } = this.#places;
    search.addEventListener("input", () => this.#renderSoon());
    window.addEventListener("change", () => {
      const duration = valueOf(window);
      this.#histories.setWindow(WINDOWS[duration] ?? USUAL_WINDOW);
      this.#memory.showCharts(duration);
    });
    uptime.addEventListener("change", () => {
      this.#uptimeFor = valueOf(uptime) === "7d" ? "7 d" : "24 h";
      this.#memory.showUptime(valueOf(uptime));
    });
  }

  #isLookedAt(): boolean {
    return this.#link.isOpen && !document.hidden;
  }

  #onState(state: ConnectionState, before: ConnectionState["kind"]): void {
    this.#reports.connection(state, before);
    if (state.kind === "open") {
      this.#door.close();
      this.#watch.soon();
      this.#memory.opened();
    }
    if (state.kind === "stopped" && state.code === "unauthorized") {
      const wasGiven = storedToken() !== undefined;
      forgetToken(); // a reload must not try it again
      this.#door.open(wasGiven ? sentence(state.reason) : "");
    }
    this.#renderSoon();
  }

  #onError(error: ErrorEvent): void {
    this.#reports.error(error);
    this.#backends.hear(error, performance.now());
    if (error.component === "rpc" || CLUSTER.test(error.code)) {
      this.#watch.soon();
      this.#memory.soon();
    }
    this.#renderSoon();
  }

  #onReport(report: ShownStatus): void {
    this.#newerBuild.note(report.version);
    this.#report = report;
    this.#reportedAt = performance.now();
    this.#backends.report(report.backends, this.#reportedAt);
    this.#renderSoon();
  }

  /** Renders soon, once for all that happens meanwhile; a timer, as a hidden tab has no frames. */
  #renderSoon(): void {
    this.#rendering ??= setTimeout(() => this.#render(), RENDER_AFTER_MS);
  }

  #render(): void {
    this.#rendering = undefined;
    const now = performance.now();
    const places = this.#places;
    const sources = this.#sources();
    const { list } = sources;
    this.#remember(list);
    const words = valueOf(places.search);
    const isWanted = (source: Source) => matches(source, words);
    this.#overview.render({
      sources: list,
      isWanted,
      uptimes: this.#uptimes,
      uptimeFor: this.#uptimeFor,
      now: Date.now() / 1000,
    });
    this.#board.render(sources, isWanted);
    this.#renderBackends(now);
    this.#renderHeader(list);
    const titles = new Map(list.map(({ channel, title }) => [channel, title]));
    this.#reports.render((channel) => titles.get(channel) ?? channel);
    this.#permalink.look();
  }

  #sources(): Sources {
    return sourcesOf({
      channels: this.#link.channels,
      read: (channel) => this.#link.read(channel),
      reports: this.#report?.sources,
    });
  }

  #remember(list: readonly Source[]): void {
    for (const source of list) {
      if (!this.#touched.has(source.channel)) continue;
      this.#histories.take(source, Date.now() / 1000);
      this.#board.touch(source.channel);
    }
    this.#touched.clear();
    this.#histories.keepOnly(new Set(list.map(({ channel }) => channel)));
  }

  #renderBackends(now: number): void {
    const isCurrent = this.#link.isOpen;
    const { list } = this.#backends;
    const troubledFirst = list.toSorted((a, b) =>
      Number(a.state === "closed") - Number(b.state === "closed")
    );
    update(
      this.#places.backends,
      ...troubledFirst.map((each) => backendItem(each, { now, isCurrent })),
      ifNone(list, "None known yet"),
    );
  }

  #renderHeader(list: readonly Source[]): void {
    const places = this.#places;
    const { connection } = this.#link;
    const count = (standing: Source["standing"]) =>
      list.filter((source) => source.standing === standing).length;
    const [live, stale, failed] = [count("live"), count("stale"), count("failed")];
    const down = this.#backends.list.filter(({ state }) => state !== "closed");
    const summary = summarize({
      connection,
      live,
      stale,
      neverSeen: list.length - live - stale,
      neverAnswered: failed,
      backendsDown: down.map(({ name }) => name),
    });
    showSummary(places, this.#announcer, summary);
    this.#attention.note(summary);
    showNamed(places, this.#link.isOpen ? namesOf(down, list) : []);
    showFacts(places, connection, { ...this.#link.facts(), ...this.#reported() });
    const hasValues = live + stale > 0;
    showBanner(places, connection, { sinceMs: this.#link.sinceMs, hasValues });
    const isOnlyDoor = !places.door.hidden && !hasValues;
    for (const place of [places.overview, places.history, places.sources, places.aside]) {
      place.hidden = isOnlyDoor;
    }
    places.forget.hidden = storedToken() === undefined;
  }

  /** What the hub's report says of the hub itself. */
  #reported() {
    const report = this.#report;
    if (report === undefined) return {};
    const { version, cluster, uptime_seconds } = report;
    if (!this.#link.isOpen) return { version };
    const uptimeMs = uptime_seconds * 1000 + performance.now() - this.#reportedAt;
    return { version, uptimeMs, ...(cluster === undefined ? {} : { cluster }) };
  }
}

/** Everything that is wrong, the gravest first, with where it is told. */
function namesOf(
  down: readonly { readonly name: string }[],
  list: readonly Source[],
): NamedTrouble[] {
  const failing = gravestFirst(list)
    .filter(({ standing }) => standing === "failed" || standing === "stale");
  return [
    ...down.map(({ name }) => ({ name, at: `backend-${name}` })),
    ...failing.map(({ title, channel }) => ({ name: title, at: `source-${channel}` })),
  ];
}

function valueOf(element: HTMLElement): string {
  return "value" in element ? String(element.value) : "";
}
