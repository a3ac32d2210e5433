/// <reference lib="dom" />
import type { ConnectionState, ErrorEvent, NotificationData } from "../../client/mod.ts";
import { h, update } from "../elements.ts";
import type { IncidentReport } from "../../protocol/incident.ts";
import type { ToldNotification } from "../hub/memory.ts";
import type { Places } from "../places.ts";
import { incidentWords, isToldByIncidents, openFirst } from "./incident_words.ts";
import { Journal } from "./journal.ts";
import { entryItem, incidentItem, type Notification, notificationItem } from "./lists.ts";

/** Most notifications and incidents shown; the oldest is left out. */
const MAX_NOTIFICATIONS = 50;
const MAX_INCIDENTS = 100;

/** What a list shows that the hub was not asked for yet. */
const NOT_TOLD = "Not known yet";

/** What happened: incidents and notifications by the hub's memory, and what this page noticed. */
export class EventLists {
  readonly #places: Places;
  readonly #journal = new Journal();
  /** Undefined until the hub has told them: then it is not known whether there are any. */
  #incidents: readonly IncidentReport[] | undefined;
  #notifications: Notification[] | undefined;
  #wasOpen = false;
  /** Something is not shown yet; what lasts is shown anew all the time. */
  #isChanged = true;

  constructor(places: Places) {
    this.#places = places;
  }

  /** The connection changed from what it was. */
  connection(state: ConnectionState, before: ConnectionState["kind"]): void {
    const at = unixSeconds();
    // A hub that welcomes again on the same connection says itself what happened.
    if (state.kind === "open" && before !== "open") {
      const tone = this.#wasOpen ? "good" : "note";
      this.#journal.add({ tone, code: "CONNECTED", message: "Connected to the hub", at });
      this.#wasOpen = true;
    } else if (state.kind !== "open" && before === "open") {
      const details = "reason" in state ? state.reason : undefined;
      const message = "The connection to the hub was lost";
      this.#journal.add({ tone: "critical", code: "LOST", message, details, at });
    }
    this.#isChanged = true;
  }

  error(error: ErrorEvent): void {
    if (isToldByIncidents(error.code)) return;
    this.#journal.tell(error);
    this.#isChanged = true;
  }

  gap(): void {
    const message = "Some errors and notifications were missed";
    this.#journal.add({ tone: "note", code: "GAP", message, at: unixSeconds() });
    this.#isChanged = true;
  }

  notification(data: NotificationData): void {
    this.#notifications = [{ data, at: unixSeconds() }, ...this.#notifications ?? []]
      .slice(0, MAX_NOTIFICATIONS);
    this.#isChanged = true;
  }

  /** What the hub still has of them, this page's own among them. */
  notifications(list: readonly ToldNotification[]): void {
    this.#notifications = list.slice(0, MAX_NOTIFICATIONS)
      .map(({ data, timestamp }) => ({ data: data as NotificationData, at: timestamp }));
    this.#isChanged = true;
  }

  incidents(list: readonly IncidentReport[]): void {
    this.#incidents = openFirst(list);
    this.#isChanged = true;
  }

  /** @param titleOf What a channel is called. */
  render(titleOf: (channel: string) => string): void {
    const lasts = this.#incidents?.some(({ ended_at }) => ended_at === null);
    if (!this.#isChanged && !lasts) return;
    const { log, notes, incidents: place, "more-incidents": more } = this.#places;
    const shown = this.#incidents?.slice(0, MAX_INCIDENTS) ?? [];
    const now = unixSeconds();
    update(
      place,
      ...shown.map((each) => incidentItem(each, incidentWords(each, titleOf, now))),
      ifNone(shown, this.#incidents === undefined ? NOT_TOLD : "None"),
    );
    const left = (this.#incidents?.length ?? 0) - shown.length;
    update(more, left > 0 ? `${left} more: see “incidents” below.` : undefined);
    if (!this.#isChanged) return;
    this.#isChanged = false;
    const { entries } = this.#journal;
    update(log, ...entries.map(entryItem), ifNone(entries, "Nothing so far"));
    const list = this.#notifications ?? [];
    const none = this.#notifications === undefined ? NOT_TOLD : "None so far";
    update(notes, ...list.map(notificationItem), ifNone(list, none));
  }
}

/** What a list shows that is empty. */
export function ifNone(list: readonly unknown[], text: string): HTMLElement | undefined {
  return list.length > 0 ? undefined : h("li", { class: "item muted" }, text);
}

function unixSeconds(): number {
  return Date.now() / 1000;
}
