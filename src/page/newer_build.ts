/// <reference lib="dom" />

/** Where the time of the last reload is kept. */
const KEY = "holdfast.reloaded";

/** Two hubs of different versions behind one address must not make the page go to and fro. */
const AT_MOST_EVERY_MS = 10 * 60_000;

/** Loads the page anew when the hub's version is another one than when it was loaded. */
export class NewerBuild {
  #version: string | undefined;

  /** The hub says which version it is. */
  note(version: string): void {
    this.#version ??= version;
    if (version === this.#version) return;
    const last = Number(sessionStorage.getItem(KEY) ?? 0);
    if (Date.now() - last < AT_MOST_EVERY_MS) return;
    sessionStorage.setItem(KEY, String(Date.now()));
    location.reload();
  }
}
