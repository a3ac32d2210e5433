import type { ErrorCode } from "../../protocol/error_event.ts";
import type { DeliveryProgress } from "./history.ts";
import type { DeliveryLog } from "./delivery_log.ts";

/** The earlier connection a client wants to go on from, in its own words. */
export interface Resume {
  readonly session?: string;
  /** Default: the present one, for event streams that cannot say. */
  readonly epoch?: string;
  /** Sequence number of the last frame it got; undefined if it does not say, NaN if it is none. */
  readonly since?: number;
}

/** What the hub makes of it. */
export interface Resumed {
  /** How far the client had got; absent if that cannot be told. */
  readonly progress?: DeliveryProgress;
  /** Why the hub ended the earlier connection, where it did. */
  readonly closedWith?: ErrorCode;
}

interface Known {
  readonly epoch: string;
  readonly seq: number;
  /** What is remembered of the earlier connection. */
  readonly memory: { readonly closedWith?: ErrorCode; readonly progress: DeliveryLog } | undefined;
  /**
   * Up to this number, an earlier connection that is not remembered may have got less than its
   * number says.
   */
  readonly forgottenUpTo: number;
  /**
   * How far a client of this epoch may be ahead, where other hubs give out the same numbers.
   * Default: not at all.
   */
  readonly mayBeAheadBy?: number;
}

/** Where a client that resumes stands; pure. */
export function resumeFrom(resume: Resume, known: Known): Resumed {
  const { epoch = known.epoch, since } = resume;
  const closedWith = known.memory?.closedWith;
  const isSound = epoch === known.epoch && since !== undefined && Number.isInteger(since) &&
    since >= 0 && since <= known.seq + (resume.epoch === undefined ? 0 : known.mayBeAheadBy ?? 0);
  const progress = isSound ? progressAt(since, resume, known) : undefined;
  return {
    ...(progress === undefined ? {} : { progress }),
    ...(closedWith === undefined ? {} : { closedWith }),
  };
}

/** How far a client had got; undefined if its number does not say and nobody remembers. */
function progressAt(
  since: number,
  { session }: Resume,
  known: Known,
): DeliveryProgress | undefined {
  const { memory, forgottenUpTo } = known;
  if (memory) return memory.progress.at(since);
  // An event stream says no session: it is shown only numbers that speak for themselves.
  if (session !== undefined && since <= forgottenUpTo) return undefined;
  return { events: since, errors: since };
}
