/** How many clients there may be. */
export interface AdmissionLimits {
  readonly maxClients: number;
  /** Per client address; 0: no limit. */
  readonly maxClientsPerAddress: number;
}

export interface AdmissionOptions {
  /** Whether the hub still looks for the others of its cluster. Default: it does not. */
  isJoining?: () => boolean;
  /** Whether there are too few descriptors for one more client. Default: never. */
  isShort?: () => boolean;
}

/** Why there is no place. */
export type NoPlace = typeof NO_PLACE[number];

export const NO_PLACE = [
  "draining",
  "joining",
  "full",
  "no_descriptors",
  "too_many_from_address",
] as const;

/** A client's place; give it back by disposing of it, once. Disposing again does nothing. */
export type AdmittedPlace = Disposable;

/**
 * The count of places at the door: a client takes one before its upgrade and gives it back when
 * its connection has ended, so that half-open upgrades count too. Holds one entry per address
 * that has a client.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #options: Required<AdmissionOptions>;
  readonly #byAddress = new Map<string, number>();
  #taken = 0;
  #isDraining = false;

  constructor(limits: AdmissionLimits, options: AdmissionOptions = {}) {
    this.#limits = limits;
    this.#options = { isJoining: () => false, isShort: () => false, ...options };
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Lets nobody in from now on. */
  startDraining(): void {
    this.#isDraining = true;
  }

  /** Takes a place for a client of this address, or says why there is none. */
  enter(address: string): AdmittedPlace | NoPlace {
    const { maxClients, maxClientsPerAddress } = this.#limits;
    const { isJoining, isShort } = this.#options;
    if (this.#isDraining) return "draining";
    if (isJoining()) return "joining";
    if (this.#taken >= maxClients) return "full";
    if (isShort()) return "no_descriptors";
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (maxClientsPerAddress > 0 && ofAddress >= maxClientsPerAddress) {
      return "too_many_from_address";
    }
    this.#taken += 1;
    this.#byAddress.set(address, ofAddress + 1);
    return new HeldPlace(address, this.#leave);
  }

  readonly #leave = (address: string): void => {
    this.#taken -= 1;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  };
}

class HeldPlace implements AdmittedPlace {
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
