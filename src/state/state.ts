import type { Clock } from "../resilience/clock.ts";
import { Backoff } from "../resilience/backoff.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { Histogram } from "../telemetry/histogram.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { Batches } from "./batches.ts";
import type { Change, KeepLimit, KeptRecords } from "./change.ts";
import { faultOf, type StoreFault } from "./fault.ts";
import { type FolderTaken, type HeldFolder, holdFolder } from "./held_folder.ts";
import { StoreClient } from "./store_client.ts";
import type { Opened } from "./store_folder.ts";
import { Tail } from "./tail.ts";
import { markUnkept } from "./unkept.ts";

export interface StateOptions {
  dir: string;
  clock: Clock;
  /** Names this boot of the machine; undefined where it cannot be known. */
  bootId: string | undefined;
  /** What is pruned by age and number alone. */
  limits: readonly KeepLimit[];
}

/** What `/status` says of the state. */
export interface StateReport {
  readonly dir: string;
  /** Whether what happens is being kept. */
  readonly ok: boolean;
  /** What is, or was, the matter. */
  readonly why?: string;
  /** On the disk. */
  readonly bytes: number;
}

/** How the life before ended, as far as anybody can tell. */
export interface Past {
  readonly kept: KeptRecords;
  readonly end: Opened["end"];
  /** Why positions of clients mean nothing any more; absent if they do. */
  readonly broken?: string;
}

/** Between two looks at what is too old, in milliseconds. */
const PRUNE_MS = 10_000;

/** A store that failed is tried again after 1 s, and ever more rarely, at most every half minute. */
const RETRY = { minMs: 1000, maxMs: 30_000, jitter: 0.1 } as const;

/** How long an end in order may take, in milliseconds; then the next start finds a crash. */
const END_MS = 500;

/** Changes that wait for a store that is written anew. When full, it is begun once more. */
const MAX_PENDING = 100_000;

const NO_PAST: Past = { kept: new Map(), end: "first" };

/**
 * What outlives the process: written down before anybody hears of it, brought into the store ten
 * times a second by a thread of its own, given back to the next life. Whatever becomes of the
 * folder, the hub goes on: then nothing is kept, which is said, and tried again.
 */
export class State implements AsyncDisposable {
  /** What the life before left. */
  readonly past: Past;
  /** How long it took to write something down before it was said. */
  readonly writeSeconds: Histogram = new Histogram([0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.01]);
  readonly #options: StateOptions;
  readonly #log: Log = logOf("state");
  readonly #stop = new AbortController();
  readonly #client: StoreClient;
  #folder: HeldFolder | undefined;
  #tail: Tail | undefined;
  #dump: () => Iterable<Change> = () => [];
  /** Whether the folder holds this life's positions, so that a later one may go on from them. */
  #isHeld = false;
  #isBehind = false;
  #onBehind: () => void = () => {};
  #mode: "keeping" | "failed" | "mending" = "keeping";
  #why: string | undefined;
  #bytes = 0;
  #failures = 0;
  #wasPutAside = false;
  #isMending = false;
  /** Whether what the folder held was read: else it is not ours to overwrite. */
  #wasRead: boolean;
  readonly #batches: Batches;

  /**
   * Takes the folder and reads what it holds. If that cannot be done there is a state all the same,
   * which keeps nothing and tries again; but not if another process has the folder.
   */
  static async open(options: StateOptions): Promise<State | FolderTaken> {
    const { dir, clock, bootId, limits } = options;
    const client = new StoreClient(dir, clock);
    let folder: HeldFolder | undefined;
    try {
      const held = await holdFolder(dir);
      if ("takenBy" in held) {
        client[Symbol.dispose]();
        return held;
      }
      folder = held;
      const { opened, bytes } = await client.open({ dir, bootId, limits });
      return new State(options, { client, folder, opened, bytes });
    } catch (error) {
      return new State(options, { client, folder, fault: faultOf(error) });
    }
  }

  private constructor(options: StateOptions, parts: Parts) {
    const { client, folder, opened, bytes = 0, fault } = parts;
    this.#options = options;
    this.#client = client;
    this.#bytes = bytes;
    this.#wasRead = opened !== undefined;
    this.#batches = new Batches({
      clock: options.clock,
      client,
      signal: this.#stop.signal,
      newest: () => this.#tail?.number ?? 0,
      onFailed: (error) => this.#failed(error),
    });
    if (folder) this.#hold(folder);
    this.past = opened ?? NO_PAST;
    if (opened === undefined) this.#fail(fault?.fault ?? "unusable", fault?.message ?? "not read");
    else this.#begin(opened);
    void this.#prune();
  }

  /** Whether what happens is being kept. */
  get isKeeping(): boolean {
    return this.#mode === "keeping";
  }

  /** Whether what the folder held could not be used. */
  get wasPutAside(): boolean {
    return this.#wasPutAside;
  }

  /** Times it could not be kept any more. */
  get failures(): number {
    return this.#failures;
  }

  /** Changes that the store has not taken yet. */
  get waiting(): number {
    return this.#batches.waiting;
  }

  report(): StateReport {
    return {
      dir: this.#options.dir,
      ok: this.isKeeping,
      ...(this.#why === undefined ? {} : { why: this.#why }),
      bytes: this.#bytes + (this.#tail?.bytes ?? 0),
    };
  }

  /** Says where everything that is to be kept can be had anew, should the store have to begin anew. */
  dumpFrom(dump: () => Iterable<Change>): void {
    this.#dump = dump;
  }

  /**
   * Says who is told when nothing is kept any more and the folder cannot even be marked so: a later
   * life will take what it holds for all that was said. Told after whatever is under way.
   */
  whenBehind(tell: () => void): void {
    this.#onBehind = tell;
    if (this.#isBehind) queueMicrotask(tell);
  }

  /**
   * Keeps changes that happened at one time. Call it before anybody hears of them: when it returns,
   * the end of the process does not undo them. Never throws, and waits for no disk.
   */
  write(changes: readonly Change[]): void {
    if (changes.length === 0 || this.#mode === "failed" || this.#stop.signal.aborted) return;
    if (this.#mode === "keeping") {
      const startedAt = performance.now();
      try {
        this.#tail?.append(changes, this.#batches.applied);
      } catch (error) {
        this.#failed(error);
        return;
      }
      this.writeSeconds.observe((performance.now() - startedAt) / 1000);
    }
    this.#batches.add(changes);
    if (this.#mode === "mending" && this.#batches.waiting > MAX_PENDING) {
      this.#fail("unusable", "it was not written in time");
    }
  }

  /** Ends this life in order: everything is brought into the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await withDeadline(this.#options.clock, END_MS, () => this.#end());
    this.#client[Symbol.dispose]();
    this.#folder?.[Symbol.dispose]();
  }

  /** Whether the folder's files are open, so that no further right to write is needed. */
  get hasFolder(): boolean {
    return this.#folder !== undefined;
  }

  #hold(folder: HeldFolder): Tail {
    this.#folder = folder;
    return this.#tail = new Tail(folder.tail);
  }

  /** Takes the folder after all, if it could not be had at the start or not be read. */
  async #takeFolder(): Promise<Tail> {
    const { dir, bootId, limits } = this.#options;
    let tail = this.#tail;
    if (tail === undefined) {
      const held = await holdFolder(dir);
      if ("takenBy" in held) throw new Error(`process ${held.takenBy ?? "unknown"} has it`);
      tail = this.#hold(held);
    }
    if (!this.#wasRead) {
      // What it holds was never read: it is put aside.
      await this.#client.open({ dir, bootId, limits, isUnread: true });
      this.#wasRead = true;
    }
    return tail;
  }

  #begin({ kept, end, broken, aside, tail }: Opened): void {
    this.#isHeld = true;
    try {
      this.#tail?.begin(tail.store, tail.number, tail.newest);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#batches.begin(tail.number);
    const { dir } = this.#options;
    const entries = [...kept.values()].reduce((sum, each) => sum + each.size, 0);
    this.#log.info("state.opened", { dir, end, entries });
    if (aside) {
      this.#wasPutAside = true;
      this.#why = `what was there could not be used (${aside.why}): it is now ${aside.path}`;
      this.#log.error("state.put_aside", { dir, why: aside.why, now: aside.path });
    } else if (broken !== undefined) {
      this.#log.warning("state.broken", { dir, why: broken, effect: "a new epoch begins" });
    }
  }

  #failed(error: unknown): void {
    const { fault, message } = faultOf(error);
    this.#fail(fault, message);
  }

  /** From now on nothing is kept; what is in the folder must not pass for all there is. */
  #fail(fault: StoreFault["fault"], why: string): void {
    const wasKeeping = this.#mode === "keeping";
    this.#mode = "failed";
    this.#why = why;
    this.#batches.stop();
    const isMarked = this.#disown({ wasKeeping });
    this.#isBehind = this.#isHeld && !isMarked;
    this.#isHeld = false;
    if (this.#isBehind) queueMicrotask(() => this.#onBehind());
    if (!wasKeeping) return;
    this.#failures += 1;
    const { dir } = this.#options;
    this.#log.error("state.failed", {
      dir,
      fault,
      why,
      ...(isMarked ? {} : { is_marked: false }),
    });
    if (!this.#isMending) void this.#mend();
  }

  /** Sees to it that what the folder holds counts as incomplete; whether that could be done. */
  #disown({ wasKeeping }: { wasKeeping: boolean }): boolean {
    try {
      this.#tail?.spoil();
      if (this.#tail !== undefined) return true;
    } catch {
      // The files are open, and yet cannot be written: perhaps others in the folder can.
    }
    // A folder that is not ours is marked once: another process may have taken it by the next time.
    const isOurs = this.#tail !== undefined;
    return (isOurs || wasKeeping) && markUnkept(this.#options.dir);
  }

  /** Tries until the store takes all there is. */
  async #mend(): Promise<void> {
    const { clock, dir } = this.#options;
    const { signal } = this.#stop;
    this.#isMending = true;
    for (let backoff = new Backoff(RETRY);; backoff = backoff.next()) {
      try {
        await clock.sleep(backoff.waitMs(), { signal });
      } catch {
        return;
      }
      if (await this.#beginAnew()) break;
    }
    this.#isMending = false;
    this.#why = undefined;
    this.#log.info("state.recovered", { dir });
  }

  async #beginAnew(): Promise<boolean> {
    this.#mode = "mending";
    try {
      const tail = await this.#takeFolder();
      const { store, number, newest } = await this.#client.replace([...this.#dump()]);
      if (this.#mode !== "mending" || this.#stop.signal.aborted) return false;
      tail.begin(store, number, newest);
      this.#isHeld = true;
      const meanwhile = this.#batches.takePending();
      this.#batches.begin(number);
      this.#mode = "keeping";
      this.write(meanwhile);
      return this.isKeeping;
    } catch (error) {
      if (this.#mode === "mending") this.#failed(error);
      return false;
    }
  }

  async #prune(): Promise<void> {
    const { clock } = this.#options;
    try {
      for (;;) {
        await clock.sleep(PRUNE_MS, { signal: this.#stop.signal });
        if (this.isKeeping) this.#bytes = await this.#client.prune();
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (this.isKeeping) this.#failed(error);
      void this.#prune();
    }
  }

  async #end(): Promise<void> {
    if (!this.isKeeping || this.#tail === undefined) return;
    try {
      await this.#batches.finish();
      await this.#client.end();
      this.#log.info("state.closed", { dir: this.#options.dir });
    } catch (error) {
      this.#log.warning("state.not_closed", { dir: this.#options.dir, why: String(error) });
    }
  }
}

interface Parts {
  readonly client: StoreClient;
  readonly folder: HeldFolder | undefined;
  readonly opened?: Opened;
  readonly bytes?: number;
  readonly fault?: StoreFault;
}
