import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { GzipOutcome, GzipProgress } from "./gzip_file.ts";
import type { Job, JobBook } from "./job_book.ts";

/** An agent as the wire shows it; times in unix seconds. */
export interface AgentStatus {
  readonly id: string;
  readonly state: "idle" | "working";
  /** Since when it is in this state. */
  readonly since: number;
  readonly current_job?: {
    readonly id: string;
    readonly file: string;
    /** 0 to 1. */
    readonly progress_ratio: number;
  };
  readonly jobs_done: number;
  readonly jobs_failed: number;
  /** Bytes read, the job in hand included. */
  readonly bytes_read: number;
  readonly bytes_written: number;
  /** Read a second, over the job in hand; 0 while idle. */
  readonly bytes_per_second: number;
}

/** What an agent does with a job; it tells its progress and never throws. */
export type AgentWork = (
  job: Job,
  options: { signal: AbortSignal; onProgress: (progress: GzipProgress) => void },
) => Promise<GzipOutcome>;

export interface AgentOptions {
  id: string;
  clock: Clock;
  book: JobBook;
  work: AgentWork;
}

/** One of the swarm: takes job after job from the book and does it. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #log: Log = logOf("demo");
  #job: Job | undefined;
  #since: number;
  #done = 0;
  #failed = 0;
  /** Of jobs that have ended. */
  #total: GzipProgress = { readBytes: 0, writtenBytes: 0 };

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#since = options.clock.unixSeconds();
  }

  /** Works until aborted; the job in hand then is rolled back. */
  async run(options: { signal: AbortSignal }): Promise<void> {
    const { id, book, work, clock } = this.#options;
    for (;;) {
      const job = await book.take(id, options);
      if (job === undefined) return;
      this.#job = job;
      this.#since = clock.unixSeconds();
      const { state } = job;
      const outcome = await work(job, {
        ...options,
        onProgress: (progress) => {
          if (state.kind === "compressing") state.progress = progress;
        },
      });
      const inHand = state.kind === "compressing" ? state.progress : NOTHING;
      book.end(job, outcome);
      this.#note(job, outcome, inHand);
    }
  }

  status(): AgentStatus {
    const { id, clock } = this.#options;
    const state = this.#job?.state;
    const totals = { jobs_done: this.#done, jobs_failed: this.#failed };
    const { readBytes, writtenBytes } = this.#total;
    if (this.#job === undefined || state?.kind !== "compressing") {
      return {
        id,
        state: "idle",
        since: this.#since,
        ...totals,
        bytes_read: readBytes,
        bytes_written: writtenBytes,
        bytes_per_second: 0,
      };
    }
    const { file } = this.#job;
    const { progress, startedMs } = state;
    const seconds = Math.max(0.001, (clock.now() - startedMs) / 1000);
    return {
      id,
      state: "working",
      since: this.#since,
      current_job: {
        id: this.#job.id,
        file: file.name,
        progress_ratio: Math.min(1, progress.readBytes / Math.max(1, file.identity.size)),
      },
      ...totals,
      bytes_read: readBytes + progress.readBytes,
      bytes_written: writtenBytes + progress.writtenBytes,
      bytes_per_second: Math.round(progress.readBytes / seconds),
    };
  }

  #note(job: Job, outcome: GzipOutcome, inHand: GzipProgress): void {
    const { id, clock } = this.#options;
    this.#job = undefined;
    this.#since = clock.unixSeconds();
    const { readBytes, writtenBytes } = outcome.kind === "done" ? outcome : inHand;
    this.#total = {
      readBytes: this.#total.readBytes + readBytes,
      writtenBytes: this.#total.writtenBytes + writtenBytes,
    };
    const fields = { agent: id, job: job.id, file: job.file.name };
    switch (outcome.kind) {
      case "done":
        this.#done += 1;
        this.#log.info("job.done", { ...fields, read: readBytes, written: writtenBytes });
        break;
      case "failed":
        this.#failed += 1;
        this.#log.warning("job.failed", { ...fields, why: outcome.reason });
        break;
      case "rolled_back":
        this.#log.info("job.rolled_back", fields);
        break;
    }
  }
}

const NOTHING: GzipProgress = { readBytes: 0, writtenBytes: 0 };
