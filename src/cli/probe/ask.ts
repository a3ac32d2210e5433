import type { HubAddress } from "../../client/address.ts";
import { type HubAccess, whyUnreachable } from "../hub_access.ts";

/** What an HTTP path answered. */
export type Reply =
  | { readonly ok: true; readonly status: number; readonly body: unknown }
  | { readonly ok: false; readonly why: string };

export interface AskOptions {
  token: string | undefined;
  access: HubAccess;
  signal: AbortSignal;
}

/** The most one question may take, in milliseconds. */
const TIMEOUT_MS = 5000;

/** What a header can carry as a credential. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

/** The largest answer that is read, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Asks one of the hub's paths, such as `/status`; the body is JSON, or `undefined` if it is none. */
export async function ask(
  { door }: HubAddress,
  path: string,
  { token, access, signal }: AskOptions,
): Promise<Reply> {
  if (token !== undefined && !HEADER_SAFE.test(token)) {
    return { ok: false, why: "the token holds characters that HTTP cannot carry in a header" };
  }
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  const stop = () => timeout.abort();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const response = await access.fetch(door.replace(/\/ws$/, path), {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "manual",
      signal: timeout.signal,
    });
    return { ok: true, status: response.status, body: parse(await readBounded(response)) };
  } catch (error) {
    if (signal.aborted) return { ok: false, why: "interrupted" };
    if (timeout.signal.aborted) return { ok: false, why: `no answer within ${TIMEOUT_MS} ms` };
    return { ok: false, why: error instanceof RangeError ? error.message : whyUnreachable(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** @throws {RangeError} If the body is longer than what is read. */
async function readBounded(response: Response): Promise<string> {
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new RangeError(`answers with more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
