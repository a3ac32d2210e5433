/// <reference lib="dom" />

/** Ids of what has an address of its own. */
const LINKED = /^(source|incident|backend)-./;

/**
 * Leads to what the address names. Sources and incidents come after the page, so it waits for them:
 * once, as nobody wants to be pulled back while reading.
 */
export class Permalink {
  #wanted: string | undefined;
  readonly #onWanted: (id: string) => void;

  /** @param onWanted Told which place is looked for. */
  constructor(onWanted: (id: string) => void) {
    this.#onWanted = onWanted;
  }

  start(): void {
    const read = () => {
      const id = decoded(location.hash.slice(1));
      if (!LINKED.test(id)) return;
      this.#wanted = id;
      this.#onWanted(id);
      this.look();
    };
    addEventListener("hashchange", read);
    read();
  }

  /** Something may be there now. */
  look(): void {
    if (this.#wanted === undefined) return;
    const place = document.getElementById(this.#wanted);
    if (place === null || place.offsetParent === null) return;
    this.#wanted = undefined;
    // After this turn, when what is above has its height.
    setTimeout(() => {
      place.scrollIntoView({ block: "start" });
      place.focus({ preventScroll: true });
    });
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
