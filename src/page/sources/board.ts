/// <reference lib="dom" />
import type { Places } from "../places.ts";
import { Card, type CardContext } from "./card.ts";
import { Masonry } from "./masonry.ts";
import type { Source, Sources } from "./source.ts";

export interface BoardOptions {
  places: Places;
  context: (source: Source) => CardContext;
  /** Gives a value's JSON as the hub has it. */
  ask: (channel: string) => Promise<string>;
}

/** Most cards; further channels are counted, and are in the overview. */
const MAX_CARDS = 100;

/** The cards of the sources, always in the same order: on a bad night nothing should jump about. */
export class Board {
  readonly #options: BoardOptions;
  readonly #masonry: Masonry;
  readonly #cards = new Map<string, Card>();
  readonly #changed = new Set<string>();

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#masonry = new Masonry(options.places.cards);
  }

  /** A channel has changed and is to be shown by the next `render`. */
  touch(channel: string): void {
    this.#changed.add(channel);
  }

  /** Shows what changed and how much later it is; of those that match what is searched for. */
  render({ list, quiet }: Sources, isWanted: (source: Source) => boolean): void {
    const { places, context } = this.#options;
    const shown = list.slice(0, MAX_CARDS);
    for (const [index, source] of shown.entries()) {
      const card = this.#cardAt(index, source.channel);
      const { hidden, dataset } = card.element;
      card.element.hidden = !isWanted(source);
      if (hidden !== card.element.hidden) this.#masonry.layOut();
      const isNew = dataset.standing !== source.standing || this.#changed.has(source.channel);
      if (isNew) card.show(source, context(source));
      else card.tick(source, context(source));
    }
    this.#changed.clear();
    this.#dropAllBut(new Set(shown.map(({ channel }) => channel)));
    setText(places.quiet, remark(quiet, list.length - MAX_CARDS));
  }

  #cardAt(index: number, channel: string): Card {
    let card = this.#cards.get(channel);
    if (card === undefined) {
      card = new Card(channel, () => this.#options.ask(channel));
      this.#cards.set(channel, card);
    }
    const { cards } = this.#options.places;
    const there = cards.children[index];
    if (there !== card.element) {
      cards.insertBefore(card.element, there ?? null);
      this.#masonry.layOut();
    }
    return card;
  }

  #dropAllBut(kept: ReadonlySet<string>): void {
    for (const [channel, card] of this.#cards) {
      if (kept.has(channel)) continue;
      card.element.remove();
      this.#cards.delete(channel);
      this.#masonry.layOut();
    }
  }
}

function remark(quiet: readonly string[], left: number): string {
  const cards = left > 0 ? `${left} more sources are in the overview alone. ` : "";
  const named = quiet.slice(0, 8).join(", ") + (quiet.length > 8 ? ", …" : "");
  return cards + (quiet.length > 0 ? `Offered, but nothing feeds: ${named}.` : "");
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
