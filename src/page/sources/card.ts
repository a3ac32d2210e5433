/// <reference lib="dom" />
import type { StaleChannel } from "../../client/mod.ts";
import { ChannelCharts } from "../charts/channel_charts.ts";
import type { ChartHistory } from "../charts/history.ts";
import { describeUptime, type ShownUptime } from "../charts/uptime_strip.ts";
import { type Child, h, update } from "../elements.ts";
import { cut, formatDuration, formatMoment } from "../format.ts";
import { type BackendState, nextTry } from "../hub/backends.ts";
import { layoutOf } from "../values/layouts.ts";
import { paint } from "../values/paint.ts";
import { RawValue } from "../values/raw_value.ts";
import type { Source } from "./source.ts";
import { standingBadge } from "./standing_badge.ts";

/** What a card needs to know beside its source. */
export interface CardContext {
  /** The backend behind the channel, as far as known. */
  readonly backend: BackendState | undefined;
  readonly history: ChartHistory;
  readonly uptime: ShownUptime | undefined;
  /** What `uptime` speaks of: "24 h". */
  readonly uptimeFor: string;
  /** Monotonic milliseconds. */
  readonly now: number;
}

/** Longest reason shown, in characters: longer than any the hub gives. */
const MAX_REASON = 2000;

/** Charts are drawn anew without a new value so often in a window: the time axis goes on. */
const DRAWS_A_WINDOW = 300;

/** One source: its value, how old it is, how it went, and why it is stale when it is. */
export class Card {
  readonly element: HTMLElement;
  readonly #title: HTMLElement;
  readonly #head = h("div", { class: "card-head" });
  readonly #trouble = h("div", { class: "trouble" });
  readonly #body = h("div", { class: "value" });
  readonly #uptime = h("p", { class: "muted card-uptime" });
  readonly #raw: RawValue;
  readonly #charts: ChannelCharts;
  #name = "";
  #drawnAt = 0;

  /** @param ask Gives the value's JSON as the hub has it. */
  constructor(channel: string, ask: () => Promise<string>) {
    const id = `source-${channel}`;
    const titleId = `title-${channel}`;
    this.#title = h("a", { href: `#${id}` });
    this.#charts = new ChannelCharts(() => this.#name);
    this.#raw = new RawValue(channel, ask);
    this.element = h(
      "article",
      { class: "card", id, tabindex: -1, "aria-labelledby": titleId, "data-channel": channel },
      h("div", { class: "card-top" }, h("h3", { id: titleId }, this.#title), this.#head),
      this.#trouble,
      this.#body,
      this.#charts.element,
      this.#uptime,
      this.#raw.element,
    );
  }

  /** Shows a state that came. */
  show(source: Source, context: CardContext): void {
    const { channel, title, state, standing, unit } = source;
    this.#name = title;
    this.element.dataset.kind = state.kind;
    this.element.dataset.standing = standing;
    update(this.#title, title);
    if (state.kind === "never_seen") update(this.#body);
    else update(this.#body, paint(layoutOf(channel, state.data, unit)));
    this.#raw.element.hidden = state.kind === "never_seen";
    this.#draw(context.history);
    this.tick(source, context);
  }

  /** Shows how much later it is. */
  tick(source: Source, context: CardContext): void {
    const { state, standing, reason } = source;
    const { history, uptime, uptimeFor } = context;
    const age = state.kind === "never_seen" ? undefined : h(
      "span",
      { class: "age" },
      `${formatDuration(state.ageMs)} old`,
    );
    update(this.#head, standingBadge(standing), age);
    update(
      this.#trouble,
      state.kind === "stale" ? since(state) : undefined,
      reason === undefined ? undefined : line(reason),
      standing === "live" ? undefined : retryLine(context),
    );
    update(this.#uptime, uptime === undefined ? undefined : describeUptime(uptime, uptimeFor));
    this.#uptime.hidden = uptime === undefined;
    const isDue = Date.now() - this.#drawnAt > history.windowSeconds * 1000 / DRAWS_A_WINDOW;
    if (isDue) this.#draw(history);
  }

  #draw(history: ChartHistory): void {
    this.#drawnAt = Date.now();
    this.#charts.show(history, this.#drawnAt / 1000);
  }
}

function since({ staleSince, staleForMs }: StaleChannel): HTMLElement {
  const when = `Stale since ${formatMoment(staleSince)}, for ${formatDuration(staleForMs)}.`;
  return line(when, "since");
}

function retryLine({ backend, now }: CardContext): Child {
  const next = backend && nextTry(backend, now);
  if (backend === undefined || next === undefined) return undefined;
  return line(`Backend ${backend.name}: ${next}.`, "retry");
}

function line(text: string, kind?: string): HTMLElement {
  return h("p", { class: kind }, cut(text, MAX_REASON));
}
