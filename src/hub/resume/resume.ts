import type { ErrorCode } from "../../protocol/error_event.ts";
import type { DeliveryProgress } from "./history.ts";
import type { DeliveryLog } from "./delivery_log.ts";

/** The earlier connection a client wants to go on from, as it says. */
export interface Resume {
  readonly session?: string;
  readonly epoch?: string;
  /** Sequence number of the last frame it got; undefined if it does not say, NaN if it is none. */
  readonly since?: number;
  /** The number is an event stream's `id`: it was shown only numbers that speak for themselves. */
  readonly isEventId?: boolean;
}

/** What the hub makes of it. */
export interface Resumed {
  /** How far the client had got; absent if that cannot be told. */
  readonly progress?: DeliveryProgress;
  /** Why the hub ended the earlier connection, where it did. */
  readonly closedWith?: ErrorCode;
}

interface KnownSession {
  readonly epoch: string;
  readonly seq: number;
  /** What is remembered of the earlier connection. */
  readonly memory: { readonly closedWith?: ErrorCode; readonly progress: DeliveryLog } | undefined;
  /**
   * Up to this number, an earlier connection that is not remembered may have got less than its
   * number says.
   */
  readonly forgottenUpTo: number;
  /** Whether any number a client has been shown speaks for itself. Default: not all do. */
  readonly numbersSpeak?: boolean;
  /**
   * How far a client of this epoch may be ahead, where other hubs give out the same numbers.
   * Default: not at all.
   */
  readonly mayBeAheadBy?: number;
}

/** Where a client that resumes stands; pure. */
export function resumeFrom(resume: Resume, known: KnownSession): Resumed {
  const { epoch, since } = resume;
  const closedWith = known.memory?.closedWith;
  const isSound = epoch === known.epoch && since !== undefined && Number.isInteger(since) &&
    since >= 0 && since <= known.seq + (known.mayBeAheadBy ?? 0);
  const progress = isSound ? progressAt(since, resume, known) : undefined;
  return {
    ...(progress === undefined ? {} : { progress }),
    ...(closedWith === undefined ? {} : { closedWith }),
  };
}

/** How far a client had got; undefined if its number does not say and the client is not remembered. */
function progressAt(
  since: number,
  { session, isEventId = false }: Resume,
  known: KnownSession,
): DeliveryProgress | undefined {
  const { memory, forgottenUpTo, numbersSpeak = false } = known;
  const remembered = memory?.progress.at(since);
  if (remembered !== undefined) return remembered;
  const speaks = numbersSpeak || isEventId ||
    (memory === undefined && session !== undefined && since > forgottenUpTo);
  return speaks ? { events: since, errors: since } : undefined;
}
