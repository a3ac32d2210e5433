import type { HttpClient } from "../../rpc/http/http_client.ts";
import type { Clock } from "../../resilience/clock.ts";
import { withDeadline } from "../../resilience/with_deadline.ts";
import type { HookPlan } from "./hook_plan.ts";
import { signedHeaders } from "./sign.ts";

/** How one call ended. */
export type CallEnd =
  | { readonly ok: true }
  /** `why` is fit for a log: it holds no part of the address. */
  | { readonly ok: false; readonly why: string };

/** How long a hook may take to answer, in milliseconds. */
export const CALL_MS = 15_000;

/** What is told in one call; the id stays the same however often it is tried. */
export interface HookRequest {
  readonly id: string;
  readonly body: string;
}

/**
 * Calls a hook once.
 *
 * @throws The signal's reason, when it is aborted; nothing else.
 */
export async function callHook(
  { url, secret, headers }: HookPlan,
  { id, body }: HookRequest,
  { http, clock, signal }: { http: HttpClient; clock: Clock; signal: AbortSignal },
): Promise<CallEnd> {
  const request = {
    method: "POST",
    url: new URL(url),
    headers: new Headers({
      "content-type": "application/json",
      "user-agent": "holdfast",
      ...headers,
      ...signedHeaders({ id, body, secret }, clock.unixMs()),
    }),
    body,
  } as const;
  try {
    const called = await withDeadline(
      clock,
      CALL_MS,
      (signal) => http.ask(request, { signal }),
      { signal },
    );
    if (called.isLate) return { ok: false, why: `no answer within ${CALL_MS} ms` };
    const answer = called.value;
    if (answer.kind === "unavailable") return { ok: false, why: answer.reason };
    const { status } = answer;
    return status >= 200 && status < 300 ? { ok: true } : { ok: false, why: `HTTP ${status}` };
  } catch (error) {
    signal.throwIfAborted();
    return {
      ok: false,
      why: error instanceof TypeError ? "the request is not possible" : "it failed",
    };
  }
}
