import type { Clock } from "../resilience/clock.ts";
import type { Call } from "../rpc/backend.ts";
import { ask, NO_RETRY } from "./call_with_retry.ts";
import type { BackendPlan } from "./guarded_backend.ts";

/**
 * Whether a backend can be reached from here that is not polled from here: opened, asked once, closed.
 *
 * @param call What is asked where the plan has no health check of its own.
 */
export async function probeBackend(
  plan: BackendPlan,
  call: Call,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<boolean> {
  try {
    await using backend = plan.open();
    const { timeoutMs } = plan.healthCheck;
    const question = plan.healthCheck.call ?? call;
    const outcome = await ask(backend, question, { timeoutMs, retry: NO_RETRY, clock, signal });
    return outcome.kind === "ok";
  } catch {
    return false; // it cannot even be opened here, or the hub stops
  }
}
