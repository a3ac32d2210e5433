import type { Config } from "../config/schema.ts";
import { systemClock } from "../resilience/clock.ts";
import { callHook } from "../incidents/hooks/hook_call.ts";
import type { HookEvent } from "../protocol/incident.ts";
import type { HookPlan } from "../incidents/hooks/hook_plan.ts";
import { bodyOf } from "../incidents/hooks/hooks.ts";
import type { Incident } from "../incidents/incident.ts";
import type { ProxyEnvironment } from "../rpc/http/proxy.ts";
import { HttpClient } from "../rpc/http/http_client.ts";
import { hookPlans } from "../server/hook_plans.ts";

/** How a hook took its test. */
export interface HookCheck {
  readonly hook: string;
  /** Undefined: it took it. */
  readonly why: string | undefined;
}

/** Sends a test to each hook of a configuration, all at once. */
export async function checkHooks(
  { hooks }: Pick<Config, "hooks">,
  { signal, proxyEnvironment }: { signal: AbortSignal; proxyEnvironment: ProxyEnvironment },
): Promise<HookCheck[]> {
  return await Promise.all(
    hookPlans(hooks).map(async (plan): Promise<HookCheck> => {
      const { proxy = "none" } = plan;
      await using http = new HttpClient({ maxResponseBytes: 1, proxy, proxyEnvironment });
      const now = systemClock.unixMs();
      const body = bodyOf(plan, testEvent(plan), testIncident(plan, now), now);
      const message = { id: `msg_test_${crypto.randomUUID()}`, body };
      const end = await callHook(plan, message, { http, clock: systemClock, signal });
      return { hook: plan.name, why: end.ok ? undefined : end.why };
    }),
  );
}

/** Something that is over, if the hook hears of that: nobody should have to act upon a test. */
function testEvent({ on }: HookPlan): HookEvent {
  return on.find((event) => event === "up" || event === "fresh") ?? on[0] ?? "up";
}

function testIncident(plan: HookPlan, now: number): Incident {
  const event = testEvent(plan);
  const isBackend = event === "down" || event === "up";
  return {
    id: `test-${now}`,
    kind: isBackend ? "backend_down" : "source_stale",
    ...(isBackend ? { backend: "test" } : { channel: "test" }),
    startedMs: now - 1000,
    endedMs: now,
    cause: 'a test by "holdfast config check --hooks"',
    failures: 1,
    times: 1,
  };
}
