/**
 * Calls back once when a signal is aborted: at once if it is already. Disposing of it lets go of the
 * signal, which may live much longer than the wait.
 *
 * @example
 * ```ts
 * using _stop = onAbort(signal, () => socket.close());
 * ```
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]: () => {} };
  if (signal.aborted) callback();
  else signal.addEventListener("abort", callback, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", callback) };
}
