/// <reference lib="dom" />
import type { NotificationData } from "../../client/mod.ts";
import { type BackendState, nextTry } from "../hub/backends.ts";
import { type Child, h } from "../elements.ts";
import { asText, cut, formatMoment, inWords } from "../format.ts";
import type { JournalEntry, Tone } from "./journal.ts";
import type { IncidentReport } from "../../protocol/incident.ts";
import type { IncidentWords } from "./incident_words.ts";
import { badge } from "../values/paint.ts";

/** Longest text of an entry, in characters: longer than any the hub gives. */
const MAX_TEXT = 2000;

/** The mark and the word of each tone, so that its colour is not needed. */
const TONES: Readonly<Record<Tone, readonly [mark: string, word: string]>> = {
  critical: ["✕", "Critical"],
  error: ["■", "Error"],
  warning: ["▲", "Warning"],
  good: ["●", "Recovered"],
  note: ["○", "Note"],
};

const STATES: Readonly<Record<BackendState["state"], readonly [string, string, string]>> = {
  closed: ["good", "●", "Answering"],
  half_open: ["stale", "◐", "On trial"],
  open: ["critical", "✕", "Not answering"],
};

/**
 * A backend with the state of its breaker. What a hub that is gone said of it is from before, and
 * must not look as if it were so now.
 */
export function backendItem(
  backend: BackendState,
  options: { now: number; isCurrent: boolean },
): HTMLElement {
  const { now, isCurrent } = options;
  const { name, state, failures, lastError } = backend;
  const [tone, mark, word] = STATES[state];
  const next = isCurrent ? nextTry(backend, now) : `${word.toLowerCase()} when last heard of`;
  const failed = failures > 1 || (failures > 0 && state !== "closed")
    ? `${failures} ${failures === 1 ? "failure" : "failures"} in a row`
    : undefined;
  const facts = [failed, next].filter((each) => each !== undefined).join(" · ");
  return h(
    "li",
    {
      class: "item backend",
      "data-state": isCurrent ? state : undefined,
      id: `backend-${name}`,
      tabindex: -1,
    },
    h(
      "div",
      { class: "item-head" },
      h("strong", {}, cut(name, 60)),
      isCurrent ? badge(tone, mark, word) : badge("idle", "○", "Not known"),
    ),
    facts === "" ? undefined : h("p", { class: "muted" }, facts),
    lastError === undefined ? undefined : h(
      "p",
      { class: state === "closed" ? "muted" : "reason" },
      (state === "closed" ? "Last error: " : "") + cut(inWords(lastError), MAX_TEXT),
    ),
  );
}

/** How incidents of each kind are called while they last. */
const KINDS: Readonly<Record<string, string>> = {
  backend_down: "Down",
  source_stale: "Stale",
  publisher_silent: "Silent",
  hub_down: "Off",
};

/** An incident, with an address of its own. */
export function incidentItem(incident: IncidentReport, words: IncidentWords): HTMLElement {
  const { id, kind, ended_at } = incident;
  const word = (Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined) ?? "Trouble";
  const isGrave = kind === "backend_down" || kind === "hub_down";
  const place = `incident-${id}`;
  return h(
    "li",
    {
      class: "item",
      id: place,
      tabindex: -1,
      "data-kind": kind,
      "data-open": ended_at === null ? true : undefined,
    },
    h(
      "div",
      { class: "item-head" },
      ended_at !== null
        ? badge("idle", "✓", "Over")
        : badge(isGrave ? "critical" : "stale", isGrave ? "✕" : "▲", word),
      h(
        "a",
        { href: `#${place}`, class: "permalink", "aria-label": `Link to: ${words.what}` },
        "Link",
      ),
    ),
    h("p", {}, h("strong", {}, cut(words.what, MAX_TEXT))),
    h("p", { class: "reason" }, cut(words.why, MAX_TEXT)),
    words.more === undefined ? undefined : h("p", { class: "muted" }, words.more),
  );
}

/** An entry of the log. */
export function entryItem(
  { tone, code, message, details, firstAt, lastAt, count }: JournalEntry,
): Child {
  const [mark, word] = TONES[tone];
  const times = count > 1 ? `${count} times, last ${formatMoment(lastAt)}` : undefined;
  return h(
    "li",
    { class: "item", "data-code": code },
    h("div", { class: "item-head" }, badge(tone, mark, word), moment(firstAt)),
    h("p", {}, cut(inWords(message), MAX_TEXT)),
    details === undefined
      ? undefined
      : h("p", { class: "reason" }, cut(inWords(details), MAX_TEXT)),
    h(
      "p",
      { class: "muted" },
      h("code", {}, code),
      times === undefined ? undefined : ` · ${times}`,
    ),
  );
}

export interface Notification {
  readonly data: NotificationData;
  /** Unix seconds. */
  readonly at: number;
}

/** Levels a publisher is likely to give; any other one is a note with that word. */
const LEVELS: Readonly<Record<string, Tone>> = {
  critical: "critical",
  error: "error",
  warning: "warning",
  warn: "warning",
  success: "good",
};

export function notificationItem({ data, at }: Notification): HTMLElement {
  const { title, body, level } = data;
  const known = typeof level === "string" ? level : "info";
  const tone = Object.hasOwn(LEVELS, known) ? LEVELS[known] ?? "note" : "note";
  return h(
    "li",
    { class: "item" },
    h("div", { class: "item-head" }, badge(tone, TONES[tone][0], cut(known, 20)), moment(at)),
    h("p", {}, h("strong", {}, cut(asText(title, "(no title)"), 120))),
    body === undefined ? undefined : h("p", {}, cut(asText(body, "(no text)"), MAX_TEXT)),
  );
}

function moment(unixSeconds: number): HTMLElement {
  return h("span", { class: "muted number" }, formatMoment(unixSeconds));
}
