import type { Check } from "./watchdog.ts";

/**
 * A check of the way in: asks the hub's own `/healthz` over a connection of its own, so that the
 * listening socket must accept and the routes must answer.
 *
 * @param url Where the hub listens, such as `http://0.0.0.0:8787`; asked for each time.
 */
export function acceptCheck(url: () => string): Check {
  return async (signal) => {
    // A client of its own each time: a kept connection would show nothing about accepting.
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    try {
      const response = await fetch(healthUrl(url()), { client, signal, redirect: "manual" });
      await response.body?.cancel();
      if (response.ok) return true;
      throw new Error(`/healthz answered ${response.status}`);
    } catch (error) {
      signal.throwIfAborted();
      if (isAboutTheCertificate(error)) return true;
      throw error;
    }
  };
}

/** The same port by loopback, for a hub that listens on every address of the machine. */
function healthUrl(url: string): URL {
  const target = new URL("/healthz", url);
  if (target.hostname === "0.0.0.0") target.hostname = "127.0.0.1";
  if (target.hostname === "[::]") target.hostname = "[::1]";
  return target;
}

/**
 * The hub's certificate is made out for a name that we do not call it by, and perhaps by an
 * authority that only its clients know. That it was shown at all is what we ask for: the connection
 * was accepted and the handshake answered.
 */
function isAboutTheCertificate(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (/invalid peer certificate/i.test(each.message)) return true;
  }
  return false;
}
