import { parseRetryAfter } from "../../client/refusal_probe.ts";
import type { HubAccess } from "../hub_access.ts";
import { Backoff } from "../../resilience/backoff.ts";
import type { Clock } from "../../resilience/clock.ts";
import { transportFailure } from "../../rpc/transport_failure.ts";

/** What became of a publication. */
export type Delivered =
  /** The hub took it; `answer` is its body. */
  | { readonly kind: "accepted"; readonly answer: string }
  /** The hub said no, and would again. */
  | { readonly kind: "refused"; readonly why: string }
  /** It was surely not taken; every try is used up. */
  | { readonly kind: "failed"; readonly why: string; readonly tries: number }
  /** Nobody knows whether it was taken, and another try could publish an event twice. */
  | { readonly kind: "unknown"; readonly why: string };

export interface DeliverOptions {
  clock: Clock;
  signal: AbortSignal;
  token: string | undefined;
  fetch: HubAccess["fetch"];
  /** Whether publishing it twice says the same as publishing it once: so for values, not events. */
  isIdempotent: boolean;
  /** Told before each wait. */
  onRetry?: (why: string, waitMs: number) => void;
  random?: () => number;
}

/** Tries in all. */
export const MAX_TRIES = 5;

/** The most that one try may take, in milliseconds. */
const TRY_MS = 10_000;

/** The longest wait that a hub may ask for, in milliseconds. */
const MAX_WAIT_MS = 30_000;

/** Longest answer of the hub's that is repeated, in characters. */
const MAX_WORDS = 300;

/** What one try came to. */
type Attempt = Delivered | {
  readonly kind: "again";
  readonly why: string;
  readonly waitMs: number;
};

/**
 * Publishes a body, and tries again where that cannot say anything twice: a refused connection and
 * a hub that is full (429) have surely not taken it; after a lost connection or a 503 only a value
 * is sent again.
 *
 * @throws The signal's reason, when it is aborted.
 */
export async function deliver(
  url: string,
  body: string,
  options: DeliverOptions,
): Promise<Delivered> {
  const { clock, signal, onRetry, random } = options;
  let backoff = new Backoff({ minMs: 500, maxMs: 8000 });
  for (let tries = 1;; tries += 1) {
    signal.throwIfAborted();
    const attempt = await tryOnce(url, body, options);
    if (attempt.kind !== "again") return attempt;
    const { why, waitMs } = attempt;
    if (tries === MAX_TRIES) return { kind: "failed", why, tries };
    const pauseMs = waitMs + backoff.waitMs(random);
    backoff = backoff.next();
    onRetry?.(why, pauseMs);
    await clock.sleep(pauseMs, { signal });
  }
}

async function tryOnce(url: string, body: string, options: DeliverOptions): Promise<Attempt> {
  const { token, fetch, signal, isIdempotent, clock } = options;
  const unsure = (why: string): Attempt =>
    isIdempotent ? { kind: "again", why, waitMs: 0 } : { kind: "unknown", why };
  let response: Response;
  let words: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]),
    });
    words = (await response.text()).trim().slice(0, MAX_WORDS);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DOMException && error.name === "TimeoutError") {
      return unsure(`no answer within ${TRY_MS} ms`);
    }
    const why = transportFailure(error);
    // A certificate stays bad for longer than anybody waits here.
    if (/certificate|TLS on this port/.test(why)) return { kind: "refused", why };
    return /refused|name not found|unreachable/.test(why)
      ? { kind: "again", why, waitMs: 0 }
      : unsure(why);
  }
  const { status, headers } = response;
  if (status === 202) return { kind: "accepted", answer: words };
  const why = `HTTP ${status}${words === "" ? "" : `: ${wordsOf(words)}`}`;
  const told = parseRetryAfter(headers.get("retry-after"), clock.unixSeconds()) ?? 0;
  const waitMs = Math.min(told, MAX_WAIT_MS);
  if (status === 429) return { kind: "again", why, waitMs };
  if (status < 500) return { kind: "refused", why };
  return isIdempotent ? { kind: "again", why, waitMs } : { kind: "unknown", why };
}

/** The hub's sentence; other servers' answers as they are. */
function wordsOf(text: string): string {
  try {
    const { message } = JSON.parse(text);
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}
