/** How large and how long the workloads are. */
export interface Scale {
  /** The largest number of clients that any workload takes. */
  readonly mostClients: number;
  /** What lengths are multiplied by: messages of a window, durations. */
  readonly length: number;
}

export const FULL: Scale = { mostClients: 10_000, length: 1 };

/** For tests and for trying out: what it measures proves nothing. */
export const QUICK: Scale = { mostClients: 100, length: 0.2 };

/** A count of clients at this scale. */
export function clientsAt({ mostClients }: Scale, count: number): number {
  return Math.min(count, mostClients);
}

/** A length at this scale, at least one. */
export function lengthAt({ length }: Scale, full: number): number {
  return Math.max(1, Math.round(full * length));
}
