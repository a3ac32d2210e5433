/** Chance that can be repeated: everything a run decides comes from one printed seed. */
export class Chance {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** The next number in [0, 1). */
  next(): number {
    // mulberry32: one 32-bit word of state, good enough to choose faults by.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** True in so many of a hundred cases. */
  percent(share: number): boolean {
    return this.next() * 100 < share;
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[Math.floor(this.next() * choices.length)];
    if (chosen === undefined) throw new RangeError("Cannot pick as there are no choices");
    return chosen;
  }

  /** Chance of its own for somebody else, who may draw at any time without changing ours. */
  fork(): Chance {
    return new Chance(Math.floor(this.next() * 2 ** 32));
  }
}

const SEED = "HOLDFAST_SEED";

/** The seed of this run: `HOLDFAST_SEED`, or a new one. Printed, as a failure is worth little without. */
export function runSeed(suite: string): number {
  const given = Deno.env.get(SEED);
  const seed = given ? Number(given) : crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(`${SEED} must be a whole number below 2^32: current value is ${given}`);
  }
  say(`${suite}: again with ${SEED}=${seed}`);
  return seed;
}

/** A number from the environment, or `fallback` where it is not set. */
export function numberFromEnv(name: string, fallback: number): number {
  const given = Deno.env.get(name);
  if (!given) return fallback;
  const value = Number(given);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new RangeError(`${name} must be a positive number: current value is "${given}"`);
}

/** Says something to whoever reads the test's output. */
export function say(text: string): void {
  // deno-lint-ignore no-console -- the figures a suite found are for people
  console.log(text);
}
