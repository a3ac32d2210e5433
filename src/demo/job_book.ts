import type { Clock } from "../resilience/clock.ts";
import type { GzipOutcome, GzipProgress } from "./gzip_file.ts";
import type { SpoolFile } from "./spool.ts";

/** A job's state; no field outlives the state it belongs to. */
type JobState =
  | { readonly kind: "queued" }
  | {
    readonly kind: "compressing";
    readonly agent: string;
    readonly startedAt: number;
    readonly startedMs: number;
    progress: GzipProgress;
  }
  | {
    readonly kind: "done" | "failed";
    readonly agent: string;
    readonly startedAt: number;
    readonly finishedAt: number;
    readonly progress: GzipProgress;
    readonly reason?: string;
  };

/** The compression of one file. */
export interface Job {
  readonly id: string;
  readonly file: SpoolFile;
  /** Unix seconds. */
  readonly queuedAt: number;
  state: JobState;
}

/** A job as the wire shows it; times in unix seconds. */
export interface JobStatus {
  readonly id: string;
  readonly file: string;
  readonly state: JobState["kind"];
  readonly original_bytes: number;
  readonly read_bytes: number;
  readonly written_bytes: number;
  /** 0 to 1. */
  readonly progress_ratio: number;
  /** Written to read; absent while nothing was read. */
  readonly ratio?: number;
  readonly agent?: string;
  readonly queued_at: number;
  readonly started_at?: number;
  readonly finished_at?: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** What `GetCompressionJobs` gives. */
export interface CompressionStatus {
  readonly queued: number;
  readonly compressing: number;
  /** Since the start of the process, as the two below. */
  readonly done: number;
  readonly failed: number;
  readonly read_bytes: number;
  readonly written_bytes: number;
  /** Jobs in hand first, then the ones ended last, then the next ones in the queue. */
  readonly jobs: readonly JobStatus[];
  /** Jobs in the queue that are not listed. */
  readonly unlisted: number;
}

/** Most jobs waiting. What finds no place stays in its folder, which a later look finds again. */
export const MAX_QUEUED = 256;

/** Most ended jobs remembered; the oldest is forgotten, its figures stay in the totals. */
export const MAX_ENDED = 50;

/** Most waiting jobs listed; how many more there are is told. */
export const MAX_QUEUED_LISTED = 50;

const NOTHING: GzipProgress = { readBytes: 0, writtenBytes: 0 };

/** All jobs: those waiting in order, those in hand, and the last ones that ended. */
export class JobBook {
  readonly #clock: Clock;
  readonly #queue: Job[] = [];
  readonly #inHand = new Map<string, Job>();
  readonly #ended: Job[] = [];
  readonly #hungry = new Set<() => void>();
  #lastId = 0;
  #done = 0;
  #failed = 0;
  #total: GzipProgress = NOTHING;

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  /** How many more jobs may wait. */
  get room(): number {
    return MAX_QUEUED - this.#queue.length;
  }

  /** Whether a job for the file of this name waits or is in hand. */
  has(name: string): boolean {
    return this.#inHand.has(name) || this.#queue.some(({ file }) => file.name === name);
  }

  /** Lets a file wait for an agent; false, and nothing is done, if there is no room. */
  add(file: SpoolFile): boolean {
    if (this.room <= 0) return false;
    const id = String(++this.#lastId);
    const queuedAt = this.#clock.unixSeconds();
    this.#queue.push({ id, file, queuedAt, state: { kind: "queued" } });
    for (const wake of this.#hungry) wake();
    return true;
  }

  /** Takes the next job into an agent's hand, waiting for one; `undefined` once aborted. */
  async take(agent: string, options: { signal: AbortSignal }): Promise<Job | undefined> {
    const { signal } = options;
    while (!signal.aborted) {
      const job = this.#queue.shift();
      if (job === undefined) {
        await this.#nextAdded(signal);
        continue;
      }
      job.state = {
        kind: "compressing",
        agent,
        startedAt: this.#clock.unixSeconds(),
        startedMs: this.#clock.now(),
        progress: NOTHING,
      };
      this.#inHand.set(job.file.name, job);
      return job;
    }
    return undefined;
  }

  /** Notes how a job in hand ended. One that was rolled back is as if it had never begun. */
  end(job: Job, outcome: GzipOutcome): void {
    const { state } = job;
    if (state.kind !== "compressing") return;
    this.#inHand.delete(job.file.name);
    if (outcome.kind === "rolled_back") return;
    const { agent, startedAt } = state;
    const progress = outcome.kind === "done" ? outcome : state.progress;
    job.state = {
      kind: outcome.kind,
      agent,
      startedAt,
      finishedAt: this.#clock.unixSeconds(),
      progress: { readBytes: progress.readBytes, writtenBytes: progress.writtenBytes },
      ...(outcome.kind === "failed" ? { reason: outcome.reason } : {}),
    };
    if (outcome.kind === "failed") this.#failed += 1;
    else {
      this.#done += 1;
      this.#total = {
        readBytes: this.#total.readBytes + outcome.readBytes,
        writtenBytes: this.#total.writtenBytes + outcome.writtenBytes,
      };
    }
    this.#ended.unshift(job);
    if (this.#ended.length > MAX_ENDED) this.#ended.pop();
  }

  status(): CompressionStatus {
    const listed = [
      ...this.#inHand.values(),
      ...this.#ended,
      ...this.#queue.slice(0, MAX_QUEUED_LISTED),
    ];
    return {
      queued: this.#queue.length,
      compressing: this.#inHand.size,
      done: this.#done,
      failed: this.#failed,
      read_bytes: this.#total.readBytes,
      written_bytes: this.#total.writtenBytes,
      jobs: listed.map(jobStatus),
      unlisted: Math.max(0, this.#queue.length - MAX_QUEUED_LISTED),
    };
  }

  async #nextAdded(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hungry.add(resolve);
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    await promise;
    signal.removeEventListener("abort", onAbort);
    this.#hungry.delete(resolve);
  }
}

export function jobStatus({ id, file, queuedAt, state }: Job): JobStatus {
  const head = { id, file: file.name, state: state.kind, original_bytes: file.identity.size };
  if (state.kind === "queued") {
    return { ...head, read_bytes: 0, written_bytes: 0, progress_ratio: 0, queued_at: queuedAt };
  }
  const { readBytes, writtenBytes } = state.progress;
  return {
    ...head,
    read_bytes: readBytes,
    written_bytes: writtenBytes,
    progress_ratio: state.kind === "done" ? 1 : ratioOf(readBytes, file.identity.size) ?? 0,
    ...optionalRatio(ratioOf(writtenBytes, readBytes)),
    agent: state.agent,
    queued_at: queuedAt,
    started_at: state.startedAt,
    ...("finishedAt" in state ? { finished_at: state.finishedAt } : {}),
    ...("reason" in state && state.reason !== undefined ? { reason: state.reason } : {}),
  };
}

function ratioOf(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : Math.round(1000 * part / whole) / 1000;
}

function optionalRatio(ratio: number | undefined): { ratio?: number } {
  return ratio === undefined ? {} : { ratio };
}
