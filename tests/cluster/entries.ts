import type { Broadcast, Claim } from "../../src/cluster/entry.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import { type ErrorCode, errorEvent, errorType } from "../../src/protocol/error_event.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { text } from "../support/hub_bench.ts";

/** The epoch entries are of unless a test says otherwise. */
export const EPOCH = "epoch-1";

export function claim(changes: Partial<Claim> = {}): Claim {
  return { kind: "claim", epoch: EPOCH, term: 1, after: 0, hub: "one", ...changes };
}

/** A notification, as any hub writes it. */
export function event(n: number, changes: Partial<Broadcast> = {}): Broadcast {
  return {
    kind: "broadcast",
    epoch: EPOCH,
    hub: "one",
    type: "notification",
    timestamp: FakeClock.EPOCH,
    data: text({ n }),
    ...changes,
  };
}

/** A value of a leader's poll, fresh and just given. */
export function value(n: number, changes: Partial<Broadcast> = {}): Broadcast {
  return event(0, {
    term: 1,
    after: 0,
    type: "a",
    data: text(n),
    status: { is_stale: false, cached_at: FakeClock.EPOCH, age_ms: 0 },
    ...changes,
  });
}

/** An error of a leader's polls. */
export function failure(
  code: ErrorCode,
  data: { backend?: string; channel?: string },
  changes: Partial<Broadcast> = {},
): Broadcast {
  const told = errorEvent(code, "of a test", {
    timestamp: FakeClock.EPOCH,
    details: "it broke",
    data,
  });
  const type = errorType(code);
  return event(0, { term: 1, after: 0, type, code, data: text(told) as JsonText, ...changes });
}
