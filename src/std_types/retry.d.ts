/** Types of `@std/async/retry`, whose npm carrier ships none; `tests/std_types_test.ts` calls it. */
export declare class RetryError extends Error {
  constructor(cause: unknown, attempts: number);
}
export interface RetryOptions {
  /** Growth of the wait from one attempt to the next; at least 1. Default 2. */
  multiplier?: number;
  /** Longest wait between two attempts, in milliseconds. Default 60000. */
  maxTimeout?: number;
  /** Attempts in all, the first included. Default 5. */
  maxAttempts?: number;
  /** First wait, in milliseconds. Default 1000. */
  minTimeout?: number;
  /** 0: the full wait; 1: anything between nothing and the full wait. Default 1. */
  jitter?: number;
  isRetriable?: (error: unknown) => boolean;
  signal?: AbortSignal;
}
export declare function retry<T>(
  fn: (() => Promise<T>) | (() => T),
  options?: RetryOptions,
): Promise<T>;
