/// <reference lib="dom" />
import type { ChannelState } from "../client/mod.ts";
import { isStatusChannel, WELL_KNOWN_STATUS_CHANNELS } from "../protocol/channel.ts";
import { Card, type CardContext } from "./card.ts";
import type { Places } from "./places.ts";

export interface BoardOptions {
  places: Places;
  /** Every channel heard of. */
  channels: () => readonly string[];
  read: (channel: string) => ChannelState;
  /** Whether somebody feeds a channel that has no value yet. */
  isFed: (channel: string) => boolean;
  context: (channel: string) => CardContext;
}

/** How many sources are how. */
export interface Tally {
  readonly live: number;
  readonly stale: number;
  readonly neverSeen: number;
  /** Of those never seen: their sources were asked, and failed. */
  readonly neverAnswered: number;
}

/** Most cards; further channels are counted. */
const MAX_CARDS = 100;

const FIRST: readonly string[] = WELL_KNOWN_STATUS_CHANNELS;

/** The cards of the sources, always in the same order: on a bad night nothing should jump about. */
export class Board {
  readonly #options: BoardOptions;
  readonly #cards = new Map<string, Card>();
  readonly #changed = new Set<string>();

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  /** A channel has changed and is to be shown by the next `render`. */
  touch(channel: string): void {
    this.#changed.add(channel);
  }

  /** Shows what changed and how much later it is. */
  render(): Tally {
    const { places, read, isFed, context } = this.#options;
    const states = this.#options.channels().filter(isStatusChannel).toSorted(byPlace).map(read);
    const shown = states.filter(({ kind, channel }) => kind !== "never_seen" || isFed(channel));
    const tally = { live: 0, stale: 0, neverSeen: 0, neverAnswered: 0 };
    for (const [index, state] of shown.entries()) {
      const { kind, channel } = state;
      const about = context(channel);
      tally[kind === "never_seen" ? "neverSeen" : kind] += 1;
      if (kind === "never_seen" && about.lastError !== undefined) tally.neverAnswered += 1;
      if (index >= MAX_CARDS) continue;
      const card = this.#cardAt(index, channel);
      if (this.#changed.has(channel) || card.element.dataset.kind !== kind) card.show(state, about);
      else card.tick(state, about);
    }
    this.#changed.clear();
    this.#dropAllBut(new Set(shown.slice(0, MAX_CARDS).map(({ channel }) => channel)));
    const quiet = states.filter((state) => !shown.includes(state)).map(({ channel }) => channel);
    setText(places.quiet, remark(quiet, shown.length - MAX_CARDS));
    return tally;
  }

  #cardAt(index: number, channel: string): Card {
    let card = this.#cards.get(channel);
    if (card === undefined) {
      card = new Card(channel);
      this.#cards.set(channel, card);
    }
    const { cards } = this.#options.places;
    const there = cards.children[index];
    if (there !== card.element) cards.insertBefore(card.element, there ?? null);
    return card;
  }

  #dropAllBut(kept: ReadonlySet<string>): void {
    for (const [channel, card] of this.#cards) {
      if (kept.has(channel)) continue;
      card.element.remove();
      this.#cards.delete(channel);
    }
  }
}

function byPlace(a: string, b: string): number {
  const place = (channel: string) =>
    FIRST.includes(channel) ? FIRST.indexOf(channel) : FIRST.length;
  return place(a) - place(b) || (a < b ? -1 : 1);
}

function remark(quiet: readonly string[], left: number): string {
  const cards = left > 0 ? `${left} more sources are not shown. ` : "";
  const named = quiet.slice(0, 8).join(", ") + (quiet.length > 8 ? ", …" : "");
  return cards + (quiet.length > 0 ? `Offered, but nothing feeds: ${named}.` : "");
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
