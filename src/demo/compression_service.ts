import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { Agent, type AgentStatus } from "./agent.ts";
import { type FileIdentity, isSameState } from "./file_identity.ts";
import { gzipFile, type GzipFileOptions, type GzipOutcome } from "./gzip_file.ts";
import { type CompressionStatus, type Job, JobBook } from "./job_book.ts";
import { Spool, type SpoolFile } from "./spool.ts";

export interface CompressionServiceOptions {
  clock: Clock;
  /** The folder to work on; made if there is none. */
  directory: string;
  /** How many files are compressed at a time; a positive integer. Default 3. */
  agents?: number;
  /** Most bytes a second that each agent reads. Default: no limit. */
  maxBytesPerSecond?: number;
  /** Time between two looks at the folder, in milliseconds. Default 500. */
  lookEveryMs?: number;
  /** A file that has not changed for this long is whole, in milliseconds. Default 1000. */
  settleMs?: number;
  /** Opens files; for tests. */
  open?: GzipFileOptions["open"];
}

/** A file that failed, not to be tried again before something changes. */
interface GivenUp {
  readonly identity: FileIdentity;
  readonly blockedBy?: string;
}

/** Most agents. */
export const MAX_AGENTS = 64;

/**
 * Watches a folder and has a swarm of agents compress what lies there. The agents are concurrent
 * tasks of this process, not threads: the work is streamed in small pieces, so that questions are
 * answered in between, and a compiled executable needs nothing beside itself.
 */
export class CompressionService implements AsyncDisposable {
  readonly #options: CompressionServiceOptions;
  readonly #log: Log = logOf("demo");
  readonly #spool: Spool;
  readonly #book: JobBook;
  readonly #agents: readonly Agent[];
  readonly #stop = new AbortController();
  readonly #givenUp = new Map<string, GivenUp>();
  readonly #running: Promise<unknown>;
  #stopped: Promise<void> | undefined;
  #isReadable = true;

  /**
   * Opens the folder and starts to work.
   *
   * @throws {RangeError} If an option is out of range.
   * @throws {TypeError} If the folder cannot be used; the message is for users.
   */
  static async start(options: CompressionServiceOptions): Promise<CompressionService> {
    const { agents = 3, maxBytesPerSecond = Infinity, clock, settleMs = 1000 } = options;
    if (!Number.isInteger(agents) || agents < 1 || agents > MAX_AGENTS) {
      throw new RangeError(
        `Cannot compress as 'agents' must be a whole number from 1 to ${MAX_AGENTS}: current value is ${agents}`,
      );
    }
    if (!(maxBytesPerSecond > 0)) {
      throw new RangeError(
        `Cannot compress as 'maxBytesPerSecond' must be a positive number: current value is ${maxBytesPerSecond}`,
      );
    }
    const spool = await Spool.open(options.directory, { clock, settleMs });
    return new CompressionService(spool, agents, options);
  }

  private constructor(spool: Spool, agents: number, options: CompressionServiceOptions) {
    const { clock } = options;
    this.#options = options;
    this.#spool = spool;
    this.#book = new JobBook({ clock });
    const { signal } = this.#stop;
    this.#agents = Array.from({ length: agents }, (_, at) =>
      new Agent({
        id: `agent-${at + 1}`,
        clock,
        book: this.#book,
        work: (job, options) => this.#compress(job, options),
      }));
    this.#running = Promise.all([
      this.#watch(signal),
      ...this.#agents.map((agent) => agent.run({ signal })),
    ]);
  }

  /** The folder's real path. */
  get directory(): string {
    return this.#spool.path;
  }

  agents(): { agents: AgentStatus[] } {
    return { agents: this.#agents.map((agent) => agent.status()) };
  }

  jobs(): CompressionStatus {
    return this.#book.status();
  }

  /** Stops: jobs in hand are rolled back, their files stay where they were. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#stopped ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    try {
      await this.#running;
    } finally {
      this.#spool[Symbol.dispose]();
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, lookEveryMs = 500 } = this.#options;
    for await (const _tick of new Ticker(lookEveryMs, { clock, signal })) {
      try {
        await this.#look();
        this.#isReadable = true;
      } catch (error) {
        if (this.#isReadable) this.#log.error("spool.unreadable", { why: error });
        this.#isReadable = false;
      }
    }
  }

  async #look(): Promise<void> {
    const files = await this.#spool.look();
    const names = new Set(files.map(({ name }) => name));
    for (const name of this.#givenUp.keys()) if (!names.has(name)) this.#givenUp.delete(name);
    for (const file of files) {
      if (this.#book.has(file.name) || await this.#isGivenUp(file)) continue;
      // No room: the file stays in its folder, and a later look finds it again.
      if (!this.#book.add(file)) return;
    }
  }

  async #isGivenUp(file: SpoolFile): Promise<boolean> {
    const before = this.#givenUp.get(file.name);
    if (before === undefined) return false;
    const { identity, blockedBy } = before;
    if (isSameState(identity, file.identity)) {
      if (blockedBy === undefined || await isThere(blockedBy)) return true;
    }
    this.#givenUp.delete(file.name);
    return false;
  }

  async #compress(
    { id, file }: Job,
    options: Pick<GzipFileOptions, "signal" | "onProgress">,
  ): Promise<GzipOutcome> {
    const { clock, maxBytesPerSecond, open } = this.#options;
    const outcome = await gzipFile(file.path, {
      ...options,
      identity: file.identity,
      target: this.#spool.target(file),
      partial: this.#spool.partial(id),
      clock,
      ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
      ...(open === undefined ? {} : { open }),
    });
    if (outcome.kind === "failed") {
      const { blockedBy } = outcome;
      const { identity } = file;
      this.#givenUp.set(
        file.name,
        blockedBy === undefined ? { identity } : { identity, blockedBy },
      );
    }
    return outcome;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
