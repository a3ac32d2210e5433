import {
  JsonScanner,
  type JsonScannerOptions,
  type ScannedJson,
} from "../../protocol/json_scanner.ts";

/** Characters read before others get their turn: some 5 ms. */
const CHARACTERS_PER_TURN = 1_000_000;

/**
 * Reads JSON text, a large one over several turns of the event loop, so that no answer holds up
 * the heartbeat.
 *
 * @throws The signal's reason, when it is aborted.
 */
export async function readJson(
  text: string,
  options: JsonScannerOptions & { signal: AbortSignal },
): Promise<ScannedJson> {
  const { signal } = options;
  const scanner = new JsonScanner(text, options);
  while (!scanner.advance(CHARACTERS_PER_TURN)) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
  }
  return scanner.result();
}
