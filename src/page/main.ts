/// <reference lib="dom" />
/** The page: connects to the hub it came from and shows all that it hears. */
import { HoldfastClient } from "../client/mod.ts";
import { openWithToken } from "./linked_pages.ts";
import type { ConnectionState, ErrorEvent } from "../client/mod.ts";
import { Announcer } from "./announcer.ts";
import { Backends } from "./backends.ts";
import { Board } from "./board.ts";
import { TokenForm } from "./door.ts";
import { h, update } from "./elements.ts";
import { sentence, showBanner, showFacts, showSummary } from "./header.ts";
import { Journal } from "./journal.ts";
import { backendItem, entryItem, type Notification, notificationItem } from "./lists.ts";
import { findPlaces, type Places } from "./places.ts";
import { type ShownStatus, StatusWatch } from "./status_watch.ts";
import { summarize } from "./summary.ts";
import { forgetToken, storedToken, storeToken } from "./token.ts";

/** Most notifications shown; the oldest is forgotten. */
const MAX_NOTIFICATIONS = 50;

/** Least time between two renderings, and the time after which ages are shown anew, in milliseconds. */
const RENDER_AFTER_MS = 60;
const TICK_MS = 1000;

/** Errors after which `/status` has another role to show. */
const CLUSTER = /^CLUSTER_/;

/** Where the hub is: the page may live under a path of a proxy. */
const hubUrl = new URL(".", location.origin + location.pathname);

class Page {
  readonly #places: Places = findPlaces();
  readonly #announcer = new Announcer(this.#places.spoken);
  readonly #door = new TokenForm(this.#places, { onToken: (token) => this.#useToken(token) });
  readonly #backends = new Backends();
  readonly #journal = new Journal();
  readonly #notifications: Notification[] = [];
  readonly #watch = new StatusWatch({
    url: new URL("status", hubUrl).href,
    wanted: () => this.#connection.kind === "open" && !document.hidden,
    token: () => storedToken(),
    onReport: (report) => this.#onReport(report),
  });
  readonly #board = new Board({
    places: this.#places,
    channels: () => this.#client?.channels ?? [],
    read: (channel) =>
      this.#client?.read(channel) ?? { kind: "never_seen", channel, why: "not connected" },
    isFed: (channel) => this.#fed.has(channel),
    context: (channel) => ({
      backend: this.#connection.kind === "open" ? this.#backends.behind(channel) : undefined,
      lastError: lastErrorOf(this.#report, channel),
      now: performance.now(),
    }),
  });
  #client: HoldfastClient | undefined;
  #connection: ConnectionState = { kind: "connecting", attempt: 1 };
  #connectionSince = performance.now();
  #wasOpen = false;
  #report: ShownStatus | undefined;
  #reportedAt = 0;
  /** Channels that a source feeds, by the hub's report. */
  #fed: ReadonlySet<string> = new Set();
  #clients: number | undefined;
  #clusterClients: number | undefined;
  #beatAt: number | undefined;
  /** The log or the notifications have something that is not shown yet. */
  #listsChanged = true;
  #rendering: ReturnType<typeof setTimeout> | undefined;

  /** @param wantsToken Whether the hub said so when it sent the page. */
  start(wantsToken: boolean): void {
    const { retry, forget, links } = this.#places;
    openWithToken(links, storedToken);
    retry.addEventListener("click", () => this.#client?.reconnect());
    forget.addEventListener("click", () => {
      forgetToken();
      location.reload();
    });
    document.addEventListener("visibilitychange", () => {
      this.#watch.soon();
      this.#renderSoon();
    });
    setInterval(() => document.hidden || this.#renderSoon(), TICK_MS);
    const token = storedToken();
    if (wantsToken && token === undefined) {
      this.#onState({ kind: "stopped", code: "unauthorized", reason: "a token is needed" });
    } else this.#connect(token);
    this.#render();
  }

  #connect(token: string | undefined): void {
    const client = new HoldfastClient(hubUrl, token === undefined ? {} : { token });
    this.#client = client;
    client.on("state", (state) => this.#onState(state));
    client.on("status", (state) => {
      if (state.kind === "stale" && state.error) {
        this.#backends.hear(state.error, performance.now());
      }
      this.#board.touch(state.channel);
      this.#renderSoon();
    });
    client.on("error", (error) => this.#onError(error));
    client.on("gap", () => {
      const message = "Some errors and notifications were missed";
      this.#journal.add({ tone: "note", code: "GAP", message, at: unixSeconds() });
      this.#listsChanged = true;
      this.#renderSoon();
    });
    client.on("heartbeat", ({ clients_connected, cluster_clients_connected }) => {
      this.#clients = clients_connected;
      this.#clusterClients = cluster_clients_connected;
      this.#beatAt = performance.now();
      this.#renderSoon();
    });
    client.on("notification", (data) => {
      this.#notifications.unshift({ data, at: unixSeconds() });
      if (this.#notifications.length > MAX_NOTIFICATIONS) this.#notifications.pop();
      this.#listsChanged = true;
      this.#renderSoon();
    });
  }

  #useToken(token: string): void {
    storeToken(token);
    if (this.#client === undefined) this.#connect(token);
    else this.#client.reconnect({ token });
  }

  #onState(state: ConnectionState): void {
    const before = this.#connection.kind;
    this.#connection = state;
    this.#connectionSince = performance.now();
    const at = unixSeconds();
    if (state.kind === "open") {
      const tone = this.#wasOpen ? "good" : "note";
      // A hub that welcomes again on the same connection says itself what happened.
      if (before !== "open") {
        this.#journal.add({ tone, code: "CONNECTED", message: "Connected to the hub", at });
      }
      this.#wasOpen = true;
      this.#door.close();
      this.#watch.soon();
    } else if (before === "open") {
      const details = "reason" in state ? state.reason : undefined;
      const message = "The connection to the hub was lost";
      this.#journal.add({ tone: "critical", code: "LOST", message, details, at });
    }
    this.#listsChanged = true;
    if (state.kind === "stopped" && state.code === "unauthorized") {
      const wasGiven = storedToken() !== undefined;
      forgetToken(); // a reload must not try it again
      this.#door.open(wasGiven ? sentence(state.reason) : "");
    }
    this.#renderSoon();
  }

  #onError(error: ErrorEvent): void {
    this.#journal.tell(error);
    this.#listsChanged = true;
    this.#backends.hear(error, performance.now());
    if (error.component === "rpc" || CLUSTER.test(error.code)) this.#watch.soon();
    this.#renderSoon();
  }

  #onReport(report: ShownStatus): void {
    this.#report = report;
    this.#reportedAt = performance.now();
    this.#fed = new Set(Object.keys(report.sources));
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
    const tally = this.#board.render();
    const hasValues = tally.live + tally.stale > 0;
    const backends = this.#backends.list;
    const backendsDown = backends.filter(({ state }) => state !== "closed").map(({ name }) => name);
    const connection = this.#connection;
    const isCurrent = connection.kind === "open";
    showSummary(places, this.#announcer, summarize({ connection, ...tally, backendsDown }));
    showFacts(places, connection, this.#facts(now));
    showBanner(places, connection, { sinceMs: now - this.#connectionSince, hasValues });
    const isOnlyDoor = !places.door.hidden && !hasValues;
    places.sources.hidden = isOnlyDoor;
    places.aside.hidden = isOnlyDoor;
    places.forget.hidden = storedToken() === undefined;
    update(
      places.backends,
      ...backends.map((each) => backendItem(each, { now, isCurrent })),
      ifNone(backends, "None known yet"),
    );
    if (this.#listsChanged) this.#renderLists();
  }

  #renderLists(): void {
    this.#listsChanged = false;
    const { log, notes } = this.#places;
    const { entries } = this.#journal;
    update(log, ...entries.map(entryItem), ifNone(entries, "Nothing so far"));
    const list = this.#notifications;
    update(notes, ...list.map(notificationItem), ifNone(list, "None so far"));
  }

  #facts(now: number) {
    const report = this.#report;
    const isOpen = this.#connection.kind === "open";
    return {
      ...(report === undefined ? {} : { version: report.version }),
      ...(isOpen && report?.cluster !== undefined ? { cluster: report.cluster } : {}),
      ...(isOpen && this.#clients !== undefined ? { clients: this.#clients } : {}),
      ...(this.#clusterClients === undefined ? {} : { clusterClients: this.#clusterClients }),
      ...(this.#beatAt === undefined ? {} : { heartbeatAgoMs: now - this.#beatAt }),
      ...(isOpen && report !== undefined
        ? { uptimeMs: report.uptime_seconds * 1000 + now - this.#reportedAt }
        : {}),
    };
  }
}

/** A channel may be called `constructor`, which every object has. */
function lastErrorOf(report: ShownStatus | undefined, channel: string): string | undefined {
  if (report === undefined || !Object.hasOwn(report.sources, channel)) return undefined;
  return report.sources[channel]?.last_error ?? undefined;
}

function ifNone(list: readonly unknown[], text: string): HTMLElement | undefined {
  return list.length > 0 ? undefined : h("li", { class: "item muted" }, text);
}

function unixSeconds(): number {
  return Date.now() / 1000;
}

new Page().start(document.body.dataset.token === "wanted");
