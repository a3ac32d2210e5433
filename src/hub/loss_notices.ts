import type { Clock } from "../resilience/clock.ts";

/** Why a client was lost, as the others are told. */
export type LossCode = "SLOW_CLIENT" | "CLIENT_DISCONNECTED";

/**
 * Losses told one by one in a window; the rest of the window is told in one notice at its end.
 * One by one, a thousand clients lost at once would cost every other client a thousand frames.
 */
export const LOSSES_TOLD_SINGLY = 20;

/** Length of that window, in milliseconds. */
export const LOSS_WINDOW_MS = 1000;

/** Most client ids one notice lists; longer lists are told in several notices. */
export const MAX_IDS_IN_NOTICE = 500;

export interface LossNoticesOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Tells the clients that are left of these losses; `clientIds` is never empty. */
  tell: (code: LossCode, clientIds: readonly string[]) => void;
}

/**
 * Tells the clients that are left which ones were lost: every lost client once, soon, and never
 * from inside a broadcast, so that frames reach everybody in the order of their numbers.
 */
export class LossNotices {
  readonly #options: LossNoticesOptions;
  readonly #lost: { code: LossCode; clientId: string }[] = [];
  #scheduled = false;
  #windowOpen = false;
  #toldInWindow = 0;

  constructor(options: LossNoticesOptions) {
    this.#options = options;
  }

  /** Notes a loss; it is told after the current turn of the event loop's work. */
  add(code: LossCode, clientId: string): void {
    this.#lost.push({ code, clientId });
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#tellSingly();
    });
  }

  #tellSingly(): void {
    if (this.#lost.length > 0 && !this.#windowOpen) this.#openWindow();
    while (this.#lost.length > 0 && this.#toldInWindow < LOSSES_TOLD_SINGLY) {
      const loss = this.#lost.shift();
      if (loss === undefined) break;
      this.#toldInWindow += 1;
      this.#options.tell(loss.code, [loss.clientId]);
    }
  }

  #openWindow(): void {
    const { clock, signal } = this.#options;
    this.#windowOpen = true;
    this.#toldInWindow = 0;
    clock.sleep(LOSS_WINDOW_MS, { signal }).then(() => this.#endWindow(), () => {});
  }

  #endWindow(): void {
    this.#windowOpen = false;
    const lost = this.#lost.splice(0);
    for (const code of ["SLOW_CLIENT", "CLIENT_DISCONNECTED"] as const) {
      const ids = lost.filter((loss) => loss.code === code).map((loss) => loss.clientId);
      for (let start = 0; start < ids.length; start += MAX_IDS_IN_NOTICE) {
        this.#options.tell(code, ids.slice(start, start + MAX_IDS_IN_NOTICE));
      }
    }
  }
}
