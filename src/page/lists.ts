/// <reference lib="dom" />
import type { NotificationData } from "../client/mod.ts";
import { type BackendState, nextTry } from "./backends.ts";
import { type Child, h } from "./elements.ts";
import { asText, cut, formatMoment } from "./format.ts";
import type { JournalEntry, Tone } from "./journal.ts";
import { badge } from "./paint.ts";

/** Longest text of an entry, in characters. */
const MAX_TEXT = 300;

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
  open: ["critical", "✕", "Not asked"],
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
  const failed = failures > 0
    ? `${failures} ${failures === 1 ? "failure" : "failures"} in a row`
    : undefined;
  const facts = [failed, next].filter((each) => each !== undefined).join(" · ");
  return h(
    "li",
    { class: "item", "data-state": state },
    h(
      "div",
      { class: "item-head" },
      h("strong", {}, cut(name, 60)),
      isCurrent ? badge(tone, mark, word) : badge("idle", "○", "Not known"),
    ),
    facts === "" ? undefined : h("p", { class: "muted" }, facts),
    lastError === undefined ? undefined : h("p", { class: "reason" }, cut(lastError, MAX_TEXT)),
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
    h("p", {}, cut(message, MAX_TEXT)),
    details === undefined ? undefined : h("p", { class: "reason" }, cut(details, MAX_TEXT)),
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
