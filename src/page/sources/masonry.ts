/// <reference lib="dom" />

/** The grid's rows are this high, in pixels, and a card spans as many as it needs. */
const ROW = 4;

/**
 * Lets the cards of a grid be as high as they are, each below the one above it in its column: none is
 * stretched, none changes its column when another grows. They stay in their order for the keyboard.
 */
export class Masonry {
  readonly #grid: HTMLElement;
  readonly #watch: ResizeObserver;
  readonly #known = new Set<Element>();
  #isDue = false;
  #width = 0;

  constructor(grid: HTMLElement) {
    this.#grid = grid;
    this.#watch = new ResizeObserver(() => this.layOut());
    this.#watch.observe(grid);
  }

  /** Cards came, went, or changed places. */
  layOut(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#place();
    });
  }

  #place(): void {
    if (this.#grid.clientWidth !== this.#width) {
      // A card in a column that there is no room for any more would make that column again.
      this.#width = this.#grid.clientWidth;
      for (const card of this.#known) {
        if (card instanceof HTMLElement) card.style.gridColumnStart = "";
      }
    }
    const { gridTemplateColumns, columnGap } = getComputedStyle(this.#grid);
    const columns = gridTemplateColumns.split(" ").length;
    const gap = Number.parseFloat(columnGap) || 0;
    const cards = [...this.#grid.children].filter((each) => each instanceof HTMLElement);
    for (const card of cards) {
      if (this.#known.has(card)) continue;
      this.#known.add(card);
      this.#watch.observe(card);
    }
    for (const card of this.#known) {
      if (card.parentElement === this.#grid) continue;
      this.#watch.unobserve(card);
      this.#known.delete(card);
    }
    const shown = cards.filter(({ hidden }) => !hidden);
    for (const [index, card] of shown.entries()) {
      const column = String(index % columns + 1);
      const span = `span ${Math.ceil((card.offsetHeight + gap) / ROW)}`;
      if (card.style.gridColumnStart !== column) card.style.gridColumnStart = column;
      if (card.style.gridRowEnd !== span) card.style.gridRowEnd = span;
    }
  }
}
