import type { Outcome } from "../rpc/backend.ts";

/** One finished poll, for metrics. */
export interface PollRecord {
  readonly channel: string;
  readonly backend: string;
  readonly outcome: Outcome["kind"];
  readonly durationMs: number;
}

/** Something that came of a stream: a value, or its end. */
export type StreamRecord = Omit<PollRecord, "durationMs">;

/** A piece of the feed's work. */
export interface FeedWork {
  readonly kind: "poll" | "stream" | "health_check";
  readonly backend: string;
  /** What it asks for. */
  readonly method: string;
  /** The channel a poll is for. */
  readonly channel?: string;
}

/** How a piece of work ended. */
export interface WorkEnd {
  readonly outcome:
    | Outcome["kind"]
    /** The breaker let nothing through. */
    | "refused"
    /** Given up half-way, or of no importance any more when the answer came. */
    | "abandoned";
  /** Why there is no value. Holds no secret. */
  readonly reason?: string;
}

/** Hears of polls and breakers: metrics and traces hang on here. All optional, none may throw. */
export interface FeedObserver {
  /** A call is about to be made to a backend; retries and health checks count too. */
  onCall?(backend: string): void;
  onPoll?(record: PollRecord): void;
  onStream?(record: StreamRecord): void;
  onBreaker?(backend: string, to: "open" | "half_open" | "closed"): void;
  /** Has a piece of work done by calling `run`, exactly once and at once; resolves as it does. */
  around?(work: FeedWork, run: () => Promise<WorkEnd>): Promise<WorkEnd>;
}

/** Does a piece of work in whatever the observer puts around it. */
export function observed(
  observer: FeedObserver,
  work: FeedWork,
  run: () => Promise<WorkEnd>,
): Promise<WorkEnd> {
  return observer.around ? observer.around(work, run) : run();
}

/** One observer that tells all of these. */
export function allObservers(observers: readonly FeedObserver[]): FeedObserver {
  return {
    onCall: (backend) => observers.forEach((each) => each.onCall?.(backend)),
    onPoll: (record) => observers.forEach((each) => each.onPoll?.(record)),
    onStream: (record) => observers.forEach((each) => each.onStream?.(record)),
    onBreaker: (backend, to) => observers.forEach((each) => each.onBreaker?.(backend, to)),
    around: (work, run) =>
      observers.reduceRight((inner, each) => () => observed(each, work, inner), run)(),
  };
}
