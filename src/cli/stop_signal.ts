import { listenForSignals } from "../service/signals.ts";
import { EXIT } from "./io.ts";

/** Aborted once whoever started the command wants it to end. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** SIGINT, SIGTERM and the loss of the terminal as one signal; a second one ends the process. */
export function stopSignal(): StopSignal {
  const stop = new AbortController();
  const listening = listenForSignals({
    onStop: () => stop.abort(),
    onImpatience: () => Deno.exit(EXIT.failure),
    onReload: () => stop.abort(), // SIGHUP: the terminal has gone
  });
  return { signal: stop.signal, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}
