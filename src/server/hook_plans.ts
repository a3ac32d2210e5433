import type { HookConfig } from "../config/schema.ts";
import type { HookPlan } from "../incidents/hooks/hook_plan.ts";

/** Whom to call, as configured. */
export function hookPlans(hooks: readonly HookConfig[]): HookPlan[] {
  return hooks.map(({ after, remind, secret, body, ...rest }) => ({
    ...rest,
    afterMs: after,
    remindMs: remind,
    ...(secret === undefined ? {} : { secret }),
    ...(body === undefined ? {} : { body }),
  }));
}
