import type { HttpClient } from "../../rpc/http/http_client.ts";
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
  { http, unixMs, signal }: { http: HttpClient; unixMs: number; signal: AbortSignal },
): Promise<CallEnd> {
  const late = AbortSignal.timeout(CALL_MS);
  const request = {
    method: "POST",
    url: new URL(url),
    headers: new Headers({
      "content-type": "application/json",
      "user-agent": "holdfast",
      ...headers,
      ...signedHeaders({ id, body, secret }, unixMs),
    }),
    body,
  } as const;
  try {
    const answer = await http.ask(request, { signal: AbortSignal.any([signal, late]) });
    if (answer.kind === "unavailable") return { ok: false, why: answer.reason };
    const { status } = answer;
    return status >= 200 && status < 300 ? { ok: true } : { ok: false, why: `HTTP ${status}` };
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return { ok: false, why: `no answer within ${CALL_MS} ms` };
    return {
      ok: false,
      why: error instanceof TypeError ? "the request is not possible" : "it failed",
    };
  }
}
