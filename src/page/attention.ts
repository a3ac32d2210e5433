/// <reference lib="dom" />
import type { Standing, Summary } from "./summary.ts";

/** Where it is remembered that somebody asked for notifications. */
const KEY = "holdfast.notify";

/** How long a standing must hold before somebody is called, in milliseconds. */
const SETTLES_AFTER_MS = 5000;

/** Whether one thing is worse than another. */
const GRAVITY: Readonly<Record<Standing, number>> = {
  good: 0,
  idle: 0,
  stale: 1,
  failed: 2,
  gone: 3,
};

/**
 * Whether a standing is to be told after another one: what is less grave is still the same trouble,
 * until all is well again.
 */
export function isNews(standing: Standing, before: Standing = "good"): boolean {
  return standing === "good" ? before !== "good" : GRAVITY[standing] > GRAVITY[before];
}

/**
 * Calls whoever asked for it, by a notification of the browser's, when things go wrong and when they
 * are well again. Nobody is asked for a permission before he presses the button.
 */
export class Attention {
  readonly #button: HTMLElement;
  #told: Standing | undefined;
  #waiting: Standing | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(button: HTMLElement) {
    this.#button = button;
    button.hidden = !("Notification" in globalThis) || !isSecureContext;
    button.addEventListener("click", () => void this.#toggle());
    this.#show();
  }

  /** How things stand now. */
  note({ standing, text }: Summary): void {
    if (standing === "idle" || standing === this.#waiting) return;
    this.#waiting = standing;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(standing, text), SETTLES_AFTER_MS);
  }

  #tell(standing: Standing, text: string): void {
    if (!isNews(standing, this.#told)) return;
    this.#told = standing;
    if (!isOn()) return;
    try {
      new Notification(standing === "good" ? "All is well again" : "Something is wrong", {
        body: text,
        tag: `holdfast ${location.host}`,
      });
    } catch {
      // Some browsers let only service workers do this; the page says it all the same.
    }
  }

  async #toggle(): Promise<void> {
    if (isOn()) localStorage.removeItem(KEY);
    else if (await Notification.requestPermission() === "granted") localStorage.setItem(KEY, "yes");
    this.#show();
  }

  #show(): void {
    if (this.#button.hidden) return;
    const isDenied = Notification.permission === "denied";
    this.#button.setAttribute("aria-pressed", String(isOn()));
    this.#button.textContent = isOn()
      ? "Notifying you"
      : isDenied
      ? "Notifications are blocked"
      : "Notify me";
  }
}

function isOn(): boolean {
  try {
    return localStorage.getItem(KEY) === "yes" && Notification.permission === "granted";
  } catch {
    return false; // a browser that keeps nothing
  }
}
