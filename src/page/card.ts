/// <reference lib="dom" />
import type { ChannelState, StaleChannel } from "../client/mod.ts";
import { type BackendState, nextTry } from "./backends.ts";
import { Chart } from "./chart.ts";
import { type Child, h, update } from "./elements.ts";
import { cut, formatDuration, formatMoment, labelOf } from "./format.ts";
import { ChartHistory } from "./history.ts";
import { layoutOf } from "./layouts.ts";
import { badge, paint } from "./paint.ts";
import { readingsOf } from "./series.ts";

/** What a card needs to know beside its channel's state. */
export interface CardContext {
  /** The backend behind the channel, as far as known. */
  readonly backend: BackendState | undefined;
  /** The last error of its source by `/status`. */
  readonly lastError: string | undefined;
  /** Monotonic milliseconds. */
  readonly now: number;
}

/** Longest reason shown, in characters. */
const MAX_REASON = 300;

/** One source: its value, how old it is, how it went, and why it is stale when it is. */
export class Card {
  readonly element: HTMLElement;
  readonly #channel: string;
  readonly #head = h("div", { class: "card-head" });
  readonly #trouble = h("div", { class: "trouble" });
  readonly #body = h("div", { class: "value" });
  readonly #history = new ChartHistory();
  readonly #chart = new Chart();

  constructor(channel: string) {
    this.#channel = channel;
    const id = `source-${channel}`;
    this.element = h(
      "article",
      { class: "card", "aria-labelledby": id, "data-channel": channel },
      h("div", { class: "card-top" }, h("h3", { id }, titleOf(channel)), this.#head),
      this.#trouble,
      this.#body,
      this.#chart.element,
    );
  }

  /** Shows a state that came. */
  show(state: ChannelState, context: CardContext): void {
    this.element.dataset.kind = state.kind;
    if (state.kind === "live") {
      const readings = readingsOf(this.#channel, state.data);
      if (readings !== undefined) this.#history.add(readings, Date.now() / 1000);
    } else this.#history.interrupt(Date.now() / 1000);
    if (state.kind === "never_seen") update(this.#body);
    else update(this.#body, paint(layoutOf(this.#channel, state.data)));
    this.#chart.show(this.#history);
    this.tick(state, context);
  }

  /** Shows how much later it is. */
  tick(state: ChannelState, context: CardContext): void {
    switch (state.kind) {
      case "live":
        update(this.#head, badge("good", "●", "Live"), age(state.ageMs));
        update(this.#trouble);
        break;
      case "stale":
        update(this.#head, badge("stale", "▲", "Stale"), age(state.ageMs));
        update(this.#trouble, ...staleNote(state, context));
        break;
      case "never_seen":
        update(
          this.#head,
          context.lastError === undefined
            ? badge("idle", "○", "No value yet")
            : badge("critical", "✕", "Never answered"),
        );
        update(
          this.#trouble,
          line(context.lastError ?? state.why),
          retryLine(context),
        );
    }
  }
}

/** The name people know a well-known channel by; any other one by its own. */
function titleOf(channel: string): string {
  switch (channel) {
    case "storage_update":
      return "Storage";
    case "agent_status":
      return "Agents";
    case "compression_update":
      return "Compression";
    default:
      return labelOf(channel);
  }
}

function age(ageMs: number): HTMLElement {
  return h("span", { class: "age" }, `${formatDuration(ageMs)} old`);
}

function staleNote(state: StaleChannel, context: CardContext): Child[] {
  const { error, why, staleSince, staleForMs } = state;
  const reason = why === error?.message ? error.details ?? why : why;
  const since = `Stale since ${formatMoment(staleSince)}, for ${formatDuration(staleForMs)}.`;
  return [line(since, "since"), line(reason), retryLine(context)];
}

function retryLine({ backend, now }: CardContext): Child {
  const next = backend && nextTry(backend, now);
  if (backend === undefined || next === undefined) return undefined;
  return line(`Backend ${backend.name}: ${next}.`, "retry");
}

function line(text: string, kind?: string): HTMLElement {
  return h("p", { class: kind }, cut(text, MAX_REASON));
}
