import { createHash } from "node:crypto";
import type { BackendRecord } from "../../feed/backend_health.ts";
import type { BackendPlan } from "../../feed/guarded_backend.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { Change } from "../../state/change.ts";
import type { State } from "../../state/state.ts";
import { bodiesOf, change } from "./records.ts";

/** A backend whose breaker is open, as it is kept. */
interface KeptBackend extends Omit<BackendRecord, "retryAfterMs"> {
  /** When the next trial is due, in unix milliseconds. */
  readonly retryAtMs: number;
  /** Of the configuration it had: another one may be the cure. */
  readonly plan: string;
}

/** What the feed goes on from. */
export interface BreakersPast {
  /** Backends whose breaker stays open. */
  readonly open: ReadonlyMap<string, BackendRecord>;
  /** Backends of which clients were told that they are not polled. */
  readonly backendsOut: ReadonlySet<string>;
}

/** A change of what is kept of one backend. */
export function breakerChange(
  { name, identity }: Pick<BackendPlan, "name" | "identity">,
  record: BackendRecord | undefined,
  clock: Pick<Clock, "unixMs">,
): Change {
  if (record === undefined) return change("breaker", name, undefined);
  const { retryAfterMs, ...rest } = record;
  const kept: KeptBackend = {
    ...rest,
    retryAtMs: clock.unixMs() + retryAfterMs,
    plan: fingerprint(identity),
  };
  return change("breaker", name, kept);
}

/** Breakers as they stood, for backends that are still configured alike. */
export function breakersPast(
  { past }: State,
  plans: readonly Pick<BackendPlan, "name" | "identity">[],
  clock: Pick<Clock, "unixMs">,
): BreakersPast {
  const kept = bodiesOf<KeptBackend>(past.kept, "breaker");
  const open = new Map<string, BackendRecord>();
  const backendsOut = new Set<string>();
  for (const { name, identity } of plans) {
    const record = kept.get(name);
    if (record === undefined) continue;
    backendsOut.add(name);
    const { plan, retryAtMs, ...rest } = record;
    if (plan !== fingerprint(identity)) continue;
    open.set(name, { ...rest, retryAfterMs: Math.max(0, retryAtMs - clock.unixMs()) });
  }
  return { open, backendsOut };
}

/** A plan may hold secrets: what is kept of it says only whether it is the same. */
function fingerprint(identity: string): string {
  return createHash("sha256").update(identity).digest("hex").slice(0, 32);
}
