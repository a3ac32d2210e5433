export interface SignalHandlers {
  /** The first SIGTERM or SIGINT. */
  onStop: (signal: Deno.Signal) => void;
  /** Another one: whoever sends it does not want to wait. */
  onImpatience: (signal: Deno.Signal) => void;
  /** SIGHUP. */
  onReload: () => void;
}

/**
 * A SIGINT this soon after the first, in milliseconds, is the same Ctrl-C told twice: it reaches
 * every process of a terminal's job, and a task runner among them passes it on.
 */
const SAME_WISH_MS = 100;

/**
 * Listens to the signals a service gets, until disposed of. SIGUSR1 is left alone: the runtime
 * opens its inspector on it.
 */
export function listenForSignals(handlers: SignalHandlers): Disposable {
  const { onStop, onImpatience, onReload } = handlers;
  let first: { readonly signal: Deno.Signal; readonly at: number } | undefined;
  const onSignal = (signal: Deno.Signal) => {
    const at = performance.now();
    const isEcho = signal === "SIGINT" && first?.signal === signal && at - first.at < SAME_WISH_MS;
    if (isEcho) return;
    if (first) onImpatience(signal);
    else {
      first = { signal, at };
      onStop(signal);
    }
  };
  const listeners: [Deno.Signal, () => void][] = [
    ["SIGTERM", () => onSignal("SIGTERM")],
    ["SIGINT", () => onSignal("SIGINT")],
  ];
  if (Deno.build.os !== "windows") listeners.push(["SIGHUP", onReload]);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
