import type { Breach } from "./invariants.ts";
import type { ResumePoint, Told } from "./journal.ts";

/** A published event that was answered with 202. */
export interface Accepted {
  readonly epoch: string;
  readonly seq: number;
}

/** Enough to see what went wrong. */
const BREACHES_KEPT = 20;

/**
 * What one client that goes on where it was got of numbered events, and what it was told that it
 * missed: in the end every event accepted while it was there has to be one or the other.
 */
export class Account {
  /** Events that came, and gaps that were told. */
  readonly got = new Set<number>();
  gaps = 0;
  resumed = 0;
  breachCount = 0;
  readonly breaches: Breach[] = [];
  #point: ResumePoint | undefined;
  /** Per epoch: numbers up to which nothing is owed, as a gap was told or the client came later. */
  readonly #told = new Map<string, { readonly from: number; readonly upTo: number }[]>();
  /** Epochs whose rest was told to be missing: another one began. */
  readonly #endedAfter = new Map<string, number>();

  /** Epochs it was welcomed in. */
  get epochs(): string[] {
    return [...this.#told.keys()];
  }

  get resumePoint(): ResumePoint | undefined {
    return this.#point;
  }

  /** A frame, and what had been said of the connection before. */
  take({ type, seq, data }: Told, resume: ResumePoint | undefined): void {
    if (type === "welcome") this.#welcome(data, resume);
    else if (seq !== undefined && this.#point) this.#point = { ...this.#point, since: seq };
    if (type !== "notification") return;
    const { number } = data;
    if (typeof number !== "number") return;
    if (this.got.has(number)) this.#breach(`event ${number} came twice`);
    this.got.add(number);
  }

  /** What is owed to this client and neither came nor was told to be missing. */
  missing(accepted: ReadonlyMap<number, Accepted>): Breach[] {
    const missing: Breach[] = [];
    for (const [number, { epoch, seq }] of accepted) {
      if (this.got.has(number) || this.#isTold(epoch, seq)) continue;
      missing.push(`event ${number} (${seq} of ${epoch}) neither came nor was told as a gap`);
    }
    return missing;
  }

  #isTold(epoch: string, seq: number): boolean {
    const spans = this.#told.get(epoch);
    if (spans === undefined) return true; // it never was there
    if (seq > (this.#endedAfter.get(epoch) ?? Infinity)) return true;
    return spans.some(({ from, upTo }) => from < seq && seq <= upTo);
  }

  #welcome({ session, epoch, seq, recovered, gap }: Told["data"], resume?: ResumePoint): void {
    const since = resume?.since ?? 0;
    if (resume && !recovered && !gap) this.#breach("resumed, but neither recovered nor a gap");
    if (recovered && resume?.epoch !== epoch) this.#breach("recovered from another epoch");
    if (recovered) this.resumed += 1;
    if (gap) this.gaps += 1;
    if (resume && resume.epoch !== epoch) this.#endedAfter.set(resume.epoch, since);
    if (!recovered) {
      const from = resume?.epoch === epoch ? since : 0;
      this.#told.set(epoch, [...this.#told.get(epoch) ?? [], { from, upTo: seq }]);
    }
    this.#point = { session, epoch, since: recovered ? since : seq };
  }

  #breach(breach: Breach): void {
    this.breachCount += 1;
    if (this.breaches.length < BREACHES_KEPT) this.breaches.push(breach);
  }
}
