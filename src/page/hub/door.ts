/// <reference lib="dom" />
import type { Places } from "../places.ts";

/** The form that asks for the hub's token. */
export class TokenForm {
  readonly #places: Places;

  constructor(places: Places, options: { onToken: (token: string) => void }) {
    this.#places = places;
    const input = places.token as HTMLInputElement;
    places["door-form"].addEventListener("submit", (event) => {
      event.preventDefault(); // nothing is ever sent by the form itself
      const token = input.value.trim();
      if (token === "") this.#say("Enter the token first.");
      else {
        this.#say("");
        options.onToken(token);
      }
      input.value = "";
      input.focus();
    });
  }

  /** Shows the form. @param wrong What was wrong with the token given, if one was. */
  open(wrong = ""): void {
    const { door, token } = this.#places;
    this.#say(wrong);
    if (!door.hidden) return;
    door.hidden = false;
    token.focus();
  }

  close(): void {
    const { door, sources } = this.#places;
    if (door.hidden) return;
    const hadFocus = door.contains(document.activeElement);
    door.hidden = true;
    // Whoever used the keyboard goes on from where the values are.
    if (hadFocus) {
      sources.hidden = false; // what is hidden takes no focus
      sources.focus();
    }
  }

  #say(wrong: string): void {
    const { token, "door-error": error } = this.#places;
    error.textContent = wrong;
    if (wrong === "") token.removeAttribute("aria-invalid");
    else token.setAttribute("aria-invalid", "true");
  }
}
