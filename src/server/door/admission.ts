/** How many clients there may be. */
export interface AdmissionLimits {
  readonly maxClients: number;
  /** Per client address; 0: no limit. */
  readonly maxClientsPerAddress: number;
}

/** Why nobody is let in. */
export type Refusal = typeof REFUSALS[number];

const REFUSALS = ["draining", "full", "too_many_from_address"] as const;

/** A client's place; give it back by disposing of it, once. Disposing again does nothing. */
export type Place = Disposable;

/**
 * The count of places at the door: a client takes one before its upgrade and gives it back when
 * its connection has ended, so that half-open upgrades count too. Holds one entry per address
 * that has a client.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  readonly #refusals = new Map<Refusal, number>(REFUSALS.map((why) => [why, 0]));
  #taken = 0;
  #isDraining = false;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How often somebody was not let in, and why. */
  refusals(): ReadonlyMap<Refusal, number> {
    return this.#refusals;
  }

  /** Lets nobody in from now on. */
  startDraining(): void {
    this.#isDraining = true;
  }

  /** Takes a place for a client of this address, or says why there is none. */
  enter(address: string): Place | Refusal {
    const { maxClients, maxClientsPerAddress } = this.#limits;
    if (this.#isDraining) return this.#refuse("draining");
    if (this.#taken >= maxClients) return this.#refuse("full");
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (maxClientsPerAddress > 0 && ofAddress >= maxClientsPerAddress) {
      return this.#refuse("too_many_from_address");
    }
    this.#taken += 1;
    this.#byAddress.set(address, ofAddress + 1);
    return new HeldPlace(address, this.#leave);
  }

  #refuse(why: Refusal): Refusal {
    this.#refusals.set(why, (this.#refusals.get(why) ?? 0) + 1);
    return why;
  }

  readonly #leave = (address: string): void => {
    this.#taken -= 1;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  };
}

class HeldPlace implements Place {
  readonly #address: string;
  #leave: ((address: string) => void) | undefined;

  constructor(address: string, leave: (address: string) => void) {
    this.#address = address;
    this.#leave = leave;
  }

  [Symbol.dispose](): void {
    this.#leave?.(this.#address);
    this.#leave = undefined;
  }
}
