import type { TokenSource } from "./options.ts";
import { checkToken } from "./options.ts";
import { type ClientClock, pause } from "./time.ts";

export type TokenResult =
  | { readonly ok: true; readonly token: string | undefined }
  | { readonly ok: false; readonly why: string };

export interface ReadTokenOptions {
  clock: ClientClock;
  /** The most a token function may take, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** The token to use now. Never throws, and never says more of a failure than its kind. */
export async function readToken(
  source: TokenSource | undefined,
  options: ReadTokenOptions,
): Promise<TokenResult> {
  if (typeof source !== "function") return { ok: true, token: source };
  const { clock, timeoutMs, signal } = options;
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([
      ask(source),
      pause(clock, timeoutMs, waiting.signal).then((): TokenResult => (
        { ok: false, why: `the token function gave nothing within ${timeoutMs} ms` }
      )),
    ]);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

async function ask(source: () => string | Promise<string>): Promise<TokenResult> {
  try {
    const token = await source();
    checkToken(token);
    return { ok: true, token };
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    return { ok: false, why: `the token function failed (${name})` };
  }
}
