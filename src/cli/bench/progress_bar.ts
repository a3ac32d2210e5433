import { fit } from "../printable.ts";
import type { Screen } from "../screen.ts";
import type { LoadProgress } from "./load.ts";

const BAR_CELLS = 30;

/** One line of a terminal that fills as the work goes on; nothing where nobody looks. */
export class ProgressBar implements Disposable {
  readonly #screen: Screen;
  #isShown = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(progress: LoadProgress): void {
    if (!this.#screen.isTerminal) return;
    const { phase, done, of } = progress;
    const full = Math.min(BAR_CELLS, Math.round(done / of * BAR_CELLS));
    const bar = `[${"#".repeat(full)}${".".repeat(BAR_CELLS - full)}]`;
    const text = phase === "connecting"
      ? `${done} of ${of} clients connected`
      : `${(done / 1000).toFixed(1)} of ${of / 1000} s, ${
        Math.round(progress.perSecond)
      } deliveries/s`;
    this.#isShown = true;
    this.#screen.write(`\r${fit(`${bar} ${text}`, this.#screen.size().columns - 1)}\x1b[K`);
  }

  /** Takes the line away again. */
  [Symbol.dispose](): void {
    if (this.#isShown) this.#screen.write("\r\x1b[K");
    this.#isShown = false;
  }
}
