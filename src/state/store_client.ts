import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import type { Change } from "./change.ts";
import { type Fault, StoreFault } from "./fault.ts";
import type { FolderOptions, Opened } from "./store_folder.ts";
import type { Answered, Asked, StoreAnswer, StoreQuestion } from "./store_worker.ts";

/** How long the disk may take for one answer, in milliseconds; then it counts as unusable. */
const ANSWER_MS = 15_000;

/**
 * The store as the one thread sees it that must never wait for a disk: every call is answered by
 * another thread, or given up after {@linkcode ANSWER_MS}.
 *
 * @throws {StoreFault} From every call that the store does not do.
 */
export class StoreClient implements Disposable {
  readonly #clock: Clock;
  readonly #dir: string;
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, (answer: StoreAnswer) => void>();
  #id = 0;

  /** @param dir The folder that the thread may read and write, and nothing else. */
  constructor(dir: string, clock: Clock) {
    this.#clock = clock;
    this.#dir = dir;
  }

  /** Started when it is first asked: it may not be possible, and has to be tried again. */
  #start(): Worker {
    const dir = this.#dir;
    const worker = new Worker(new URL("store_worker.ts", import.meta.url), {
      type: "module",
      name: "state",
      deno: { permissions: { ...NOTHING, read: [dir], write: [dir] } },
    } as WorkerOptions); // `deno` is in the types of unstable things alone
    worker.onmessage = ({ data: { id, answer } }: MessageEvent<Answered>) => {
      this.#waiting.get(id)?.(answer);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = undefined;
      const why = `its thread failed: ${event.message}`;
      for (const settle of this.#waiting.values()) settle({ ok: false, fault: "unusable", why });
    };
    return this.#worker = worker;
  }

  async open(options: FolderOptions): Promise<{ opened: Opened; bytes: number }> {
    const { opened, bytes = 0 } = await this.#ask({ ask: "open", options, now: this.#now() });
    if (opened === undefined) throw new TypeError("Cannot go on as the store gave nothing");
    return { opened, bytes };
  }

  async apply(changes: readonly Change[], applied: number): Promise<void> {
    await this.#ask({ ask: "apply", changes, applied, now: this.#now() });
  }

  /** Has the store begin anew with these changes alone. */
  async replace(changes: readonly Change[]): Promise<Opened["tail"]> {
    const { tail } = await this.#ask({ ask: "replace", changes, now: this.#now() });
    if (tail === undefined) throw new TypeError("Cannot go on as the store gave nothing");
    return tail;
  }

  /** Forgets what is beyond the limits; how many bytes the folder holds. */
  async prune(): Promise<number> {
    return (await this.#ask({ ask: "prune", now: this.#now() })).bytes ?? 0;
  }

  /** The life ends in order. */
  async end(): Promise<void> {
    await this.#ask({ ask: "end" });
  }

  [Symbol.dispose](): void {
    this.#worker?.terminate();
    for (const settle of this.#waiting.values()) {
      settle({ ok: false, fault: "unusable", why: "it was closed" });
    }
  }

  #now(): number {
    return this.#clock.unixSeconds();
  }

  async #ask(question: StoreQuestion): Promise<StoreAnswer & { ok: true }> {
    const worker = this.#worker ?? this.#start();
    const id = ++this.#id;
    const { promise, resolve } = Promise.withResolvers<StoreAnswer>();
    this.#waiting.set(id, resolve);
    worker.postMessage({ id, question } satisfies Asked);
    const answered = await withDeadline(this.#clock, ANSWER_MS, () => promise);
    this.#waiting.delete(id);
    if (answered.isLate) throw new StoreFault("unusable", `the disk took over ${ANSWER_MS} ms`);
    const answer = answered.value;
    if (!answer.ok) throw new StoreFault(answer.fault as Fault, answer.why);
    return answer;
  }
}

const NOTHING = {
  env: false,
  ffi: false,
  net: false,
  run: false,
  sys: false,
} as const;
