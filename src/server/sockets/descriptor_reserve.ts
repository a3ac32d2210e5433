import { type Log, logOf } from "../../telemetry/log.ts";
import type { Descriptors } from "../../telemetry/process_figures.ts";

/**
 * Descriptors kept from clients, for the hub itself: state, log, requests on the way; and for each
 * backend, which may have several calls under way and a process of its own.
 */
const KEPT = 64;
const KEPT_A_BACKEND = 12;
/** Where there are few in all, half of them. */
const KEPT_PART = 1 / 2;

/** Fewer free ones than this, and nobody is let in until there are more. */
const LEAST_FREE = 16;
const LEAST_FREE_PART = 1 / 8;

/** More free ones than this part of all are plenty. */
const PLENTY_PART = 1 / 2;

/**
 * Descriptors held open for nothing, to be let go of when the others have run out: what the hub
 * then has to open for itself it can.
 */
const SPARE = 8;
const SPARE_FILE = "/dev/null";

/**
 * The descriptors that clients may not have. So many clients fit as leave some for the hub itself;
 * where they run short all the same, nobody is let in until there are some again.
 */
export class DescriptorReserve implements Disposable {
  readonly #log: Log = logOf("server");
  readonly #spare: Deno.FsFile[] = [];
  readonly #max: number | undefined;
  readonly #kept: number;
  #isShort = false;
  #isPlenty = false;

  /**
   * @param descriptors As they are at the start; the limit stays as it is then.
   * @param backends How many there are then.
   */
  constructor({ max }: Descriptors, backends = 0) {
    this.#max = max;
    this.#kept = KEPT + KEPT_A_BACKEND * backends;
    if (max !== undefined) this.#takeSpare();
  }

  /** How many clients there is room for; Infinity if that is not known. */
  get roomForClients(): number {
    if (this.#max === undefined) return Infinity;
    return Math.max(1, this.#max - Math.floor(Math.min(this.#kept, this.#max * KEPT_PART)));
  }

  /** Whether too few are free to let anybody in. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Whether so many are free that they need not be counted often. */
  get hasPlenty(): boolean {
    return !this.#isShort && this.#isPlenty;
  }

  /** Says once, at the start, that not as many clients fit as are allowed. */
  warnOf(maxClients: number): void {
    if (maxClients <= this.roomForClients) return;
    this.#log.warning("descriptors.few", {
      max_clients: maxClients,
      clients_possible: this.roomForClients,
      max: this.#max,
      remedy: "raise the limit of descriptors (LimitNOFILE, ulimit -n) or lower hub.max_clients",
    });
  }

  /** Takes note of how many are open; how many have to be given back so that enough are free. */
  look({ open, max = this.#max }: Descriptors): number {
    if (max === undefined) {
      this.#isShort = false; // there is no way to tell
      return 0;
    }
    // Not even one could be had to count them.
    const free = open === undefined ? 0 : max - open;
    this.#isPlenty = free > max * PLENTY_PART;
    const least = Math.ceil(Math.min(LEAST_FREE, max * LEAST_FREE_PART));
    if (free < least) {
      if (!this.#isShort) this.#log.warning("descriptors.short", { open, max });
      this.#isShort = true;
      if (free === 0) this.#letSpareGo();
      return 2 * least - free;
    }
    if (this.#isShort && free >= 2 * least) {
      this.#isShort = false;
      this.#log.info("descriptors.enough", { open, max });
      this.#takeSpare();
    }
    return 0;
  }

  /** They have run out: the spare ones are let go of. */
  ranOut(): void {
    this.#isShort = true;
    this.#letSpareGo();
  }

  [Symbol.dispose](): void {
    this.#letSpareGo();
  }

  #takeSpare(): void {
    try {
      while (this.#spare.length < SPARE) this.#spare.push(Deno.openSync(SPARE_FILE));
    } catch {
      // Not permitted, or none to be had: then without.
    }
  }

  #letSpareGo(): void {
    for (const file of this.#spare.splice(0)) file.close();
  }
}
