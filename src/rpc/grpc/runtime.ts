/**
 * What the HTTP/2 client of this Deno can do. Deno rewrote it after 2.4; the older one cannot ping,
 * takes no authorities or certificates of its own, and rejects a promise that nobody holds when a
 * call is given up while its answer arrives, which would end the process.
 */
import http2 from "node:http2";

/** Whether this Deno has the rewritten HTTP/2 client. */
export function hasModernHttp2(): boolean {
  return "Http2Session" in http2;
}

/**
 * Keeps the older HTTP/2 client's orphaned rejections from ending the process, and no others,
 * until disposed of. Does nothing on a Deno that has the newer one.
 */
export function guardHttp2(): Disposable {
  if (hasModernHttp2()) return { [Symbol.dispose]: () => {} };
  const onRejection = (event: PromiseRejectionEvent) => {
    if (isOrphan(event.reason)) event.preventDefault();
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]: () => globalThis.removeEventListener("unhandledrejection", onRejection),
  };
}

function isOrphan(reason: unknown): boolean {
  return reason instanceof Error && /\bnode:http2\b/.test(reason.stack ?? "");
}
