/** Calls the listener whenever trying again is worth it; the function returned ends that. */
export type WakeUps = (listener: () => void) => () => void;

/** As much of a browser's globals as matters here; other runtimes lack some or all of them. */
interface Browser {
  readonly addEventListener?: EventTarget["addEventListener"];
  readonly removeEventListener?: EventTarget["removeEventListener"];
  readonly document?: EventTarget & { readonly visibilityState: string };
}

/**
 * A browser's own: the network came back, the page was shown again from the cache of pages, or its
 * tab was. A laptop that wakes brings one of them. Elsewhere there are none.
 */
export function browserWakeUps(listener: () => void): () => void {
  const browser = globalThis as Browser;
  const { document } = browser;
  if (document === undefined) return () => {};
  const onVisibility = () => document.visibilityState === "visible" && listener();
  browser.addEventListener?.("online", listener);
  browser.addEventListener?.("pageshow", listener);
  document.addEventListener("visibilitychange", onVisibility);
  return () => {
    browser.removeEventListener?.("online", listener);
    browser.removeEventListener?.("pageshow", listener);
    document.removeEventListener("visibilitychange", onVisibility);
  };
}
