/// <reference lib="dom" />
import { h, update } from "../elements.ts";
import { layOut } from "./json_text.ts";

/** How long the words on the button say what came of it, in milliseconds. */
const SAID_FOR_MS = 2000;

/**
 * The value's JSON as the hub has it, on demand: to be looked at, copied, or opened as a whole. It is
 * asked for when it is unfolded, as a page's numbers are doubles and the hub's are not.
 */
export class RawValue {
  readonly element: HTMLElement;
  readonly #ask: () => Promise<string>;
  readonly #text = h("pre", { class: "scroller", tabindex: 0, role: "group" });
  readonly #note = h("p", { class: "muted remark" });
  readonly #copy = h("button", { type: "button", class: "quiet" }, "Copy");
  #whole = "";

  /**
   * @param channel Whose value it is.
   * @param ask Gives the answer of `/snapshot/CHANNEL`; rejects with what to say instead.
   */
  constructor(channel: string, ask: () => Promise<string>) {
    this.#ask = ask;
    this.#text.setAttribute("aria-label", `JSON of ${channel}`);
    const again = h("button", { type: "button", class: "quiet" }, "Read again");
    const whole = h("a", { href: `snapshot/${channel}`, target: "_blank" }, "Open whole");
    this.element = h(
      "details",
      { class: "raw" },
      h("summary", {}, "Raw JSON"),
      h("p", { class: "raw-actions" }, this.#copy, again, whole),
      this.#text,
      this.#note,
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.hasAttribute("open")) void this.#read();
    });
    again.addEventListener("click", () => void this.#read());
    this.#copy.addEventListener("click", () => void this.#copyAll());
  }

  async #read(): Promise<void> {
    try {
      this.#whole = await this.#ask();
      const { text, isCut } = layOut(this.#whole);
      update(this.#text, text);
      update(this.#note, isCut ? "Only its beginning is shown; copying takes it all." : undefined);
    } catch (error) {
      this.#whole = "";
      update(this.#text, "");
      update(this.#note, error instanceof Error ? error.message : String(error));
    }
  }

  async #copyAll(): Promise<void> {
    let said = "Copied";
    try {
      if (this.#whole === "") await this.#read();
      await navigator.clipboard.writeText(this.#whole);
    } catch {
      said = "Not allowed: select and copy it";
    }
    this.#copy.textContent = said;
    setTimeout(() => this.#copy.textContent = "Copy", SAID_FOR_MS);
  }
}
