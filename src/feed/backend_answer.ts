import type { Moment } from "../resilience/clock.ts";
import type { Outcome, StreamEnd } from "../rpc/backend.ts";

/** What came of a question put through `GuardedBackend`. */
export type BackendAnswer =
  /** The breaker does not let the question through. */
  | { readonly kind: "refused" }
  /** The breaker changed its state meanwhile, or the answer is not waited for any more. */
  | { readonly kind: "abandoned" }
  /**
   * The backend was asked. Call `settle` once, in the same turn as what the outcome means to you:
   * between the two, another outcome could open the breaker.
   */
  | {
    readonly kind: "asked";
    readonly outcome: Outcome | StreamEnd;
    /** When the call that had this outcome began. */
    readonly calledAt: Moment;
    readonly settle: () => Settled;
  };

/** What an outcome meant to the breaker. */
export type Settled =
  /** It changed its state meanwhile: the outcome counts for nothing. */
  | "late"
  /** Tells clients if the outcome changed the breaker's state. */
  | { readonly announce: () => void };
