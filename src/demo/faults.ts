import type { Clock } from "../resilience/clock.ts";

/** Ways in which the backend can be made to misbehave. */
export const FAULT_MODES = ["refuse", "hang", "slow", "garbage", "error", "500"] as const;
export type FaultMode = typeof FAULT_MODES[number];

/** What each one does, for pages and documents. */
export const FAULT_MEANING: Readonly<Record<FaultMode, string>> = {
  refuse: "the port is closed: connections are refused",
  hang: "requests are taken and never answered",
  slow: "answers take 1.5 s longer",
  garbage: "the answer is no JSON",
  error: "the answer is a JSON-RPC error",
  "500": "the answer is HTTP 500",
};

/** How long `slow` holds an answer back, in milliseconds: noticeable, yet within usual timeouts. */
export const SLOW_MS = 1500;

/** A closed port cannot be told to open again, so `refuse` always ends by itself: milliseconds. */
export const REFUSE_FOR_MS = 10_000;

/** The longest `refuse`, in milliseconds. */
export const MAX_REFUSE_FOR_MS = 300_000;

/** Most methods that have a fault of their own; the backend has fewer methods than that. */
const MAX_FAULTS = 64;

export interface FaultOptions {
  /** Only calls of this method. Default: all calls. */
  method?: string;
  /** Ends by itself after this long, in milliseconds. Default: never; for `refuse`, 10 s. */
  forMs?: number;
}

/** A fault as it stands. */
export interface FaultStatus {
  readonly mode: FaultMode;
  /** Absent: all methods. */
  readonly method?: string;
  /** When it ends by itself, in unix seconds. */
  readonly until?: number;
}

interface ActiveFault {
  readonly mode: FaultMode;
  readonly untilMs: number;
}

const ALL = Symbol("all methods");

/** Which faults are switched on. Faults whose time is up are as good as gone. */
export class Faults {
  readonly #clock: Clock;
  readonly #faults = new Map<string | typeof ALL, ActiveFault>();

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  /**
   * Switches a fault on. One for all methods takes the place of every other.
   *
   * @throws {RangeError} If `refuse` is wanted of one method, or for too long, or if there are too
   * many faults.
   */
  set(mode: FaultMode, options: FaultOptions = {}): void {
    const { method, forMs = mode === "refuse" ? REFUSE_FOR_MS : Infinity } = options;
    if (mode === "refuse" && method !== undefined) {
      throw new RangeError(`"refuse" closes the port for all methods: leave "method" out`);
    }
    if (mode === "refuse" && forMs > MAX_REFUSE_FOR_MS) {
      throw new RangeError(`"refuse" may last for at most ${MAX_REFUSE_FOR_MS / 60_000}m`);
    }
    this.#forgetEnded();
    if (method === undefined) this.#faults.clear();
    else if (this.#faults.size >= MAX_FAULTS) {
      throw new RangeError(`there are ${MAX_FAULTS} faults already; clear them first`);
    }
    this.#faults.set(method ?? ALL, { mode, untilMs: this.#clock.now() + forMs });
  }

  /** Switches off the fault of one method, or all of them. */
  clear(method?: string): void {
    if (method === undefined) this.#faults.clear();
    else this.#faults.delete(method);
  }

  /** The fault that a call of this method meets: its own, else that of all. */
  of(method: string): FaultMode | undefined {
    this.#forgetEnded();
    return (this.#faults.get(method) ?? this.#faults.get(ALL))?.mode;
  }

  /** How much longer the port is to stay closed, in milliseconds; 0 if it is to be open. */
  refuseForMs(): number {
    const fault = this.#faults.get(ALL);
    if (fault?.mode !== "refuse") return 0;
    return Math.max(0, fault.untilMs - this.#clock.now());
  }

  list(): FaultStatus[] {
    this.#forgetEnded();
    return [...this.#faults].map(([method, { mode, untilMs }]) => {
      const leftMs = untilMs - this.#clock.now();
      return {
        mode,
        ...(method === ALL ? {} : { method }),
        ...(leftMs === Infinity
          ? {}
          : { until: this.#clock.unixSeconds() + Math.ceil(leftMs / 1000) }),
      };
    });
  }

  #forgetEnded(): void {
    const now = this.#clock.now();
    for (const [key, { untilMs }] of this.#faults) {
      if (untilMs <= now) this.#faults.delete(key);
    }
  }
}

export function isFaultMode(value: unknown): value is FaultMode {
  return FAULT_MODES.some((mode) => mode === value);
}
