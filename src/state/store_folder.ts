import type { Change, KeepLimit, KeptRecords, Kind } from "./change.ts";
import { POSITION_KINDS } from "./change.ts";
import { faultOf, type StoreFault } from "./fault.ts";
import { type LifeBefore, Store } from "./store.ts";
import { readTail, TAIL_FILES } from "./tail.ts";
import { isUnkept, removeUnkept } from "./unkept.ts";

const FILE = "holdfast.db";

/** Copies of stores put aside that are left for somebody to look at; older ones go. */
const MAX_ASIDE = 3;

export interface FolderOptions {
  readonly dir: string;
  readonly bootId: string | undefined;
  readonly limits: readonly KeepLimit[];
  /** What it holds will not be read: it is put aside. Default false. */
  readonly isUnread?: boolean;
}

/** What a folder gave when it was opened. */
export interface Opened {
  readonly kept: KeptRecords;
  readonly end: LifeBefore["end"];
  /** Why positions of clients mean nothing any more; absent if they do. */
  readonly broken?: string;
  /** Where a store that could not be used was put, and why. */
  readonly aside?: { readonly path: string; readonly why: string };
  /** For the tail to go on from. */
  readonly tail: { readonly store: string; readonly number: number; readonly newest: 0 | 1 };
}

/**
 * A folder of state: the store, and what the tail beside it says beyond the store. Blocking, for a
 * thread of its own.
 */
export class StoreFolder implements Disposable {
  readonly #options: FolderOptions;
  #store: Store | undefined;

  constructor(options: FolderOptions) {
    this.#options = options;
  }

  /**
   * Opens what is there. What cannot be used is put aside, and an empty store takes its place.
   *
   * @param now Unix seconds, here and below.
   * @throws {StoreFault} If nothing can be written there.
   */
  open(now: number): Opened {
    try {
      if (this.#options.isUnread && sizeOf(`${this.#options.dir}/${FILE}`)) this.#putAside(now);
      return this.#open(now);
    } catch (error) {
      const fault = faultOf(error);
      if (fault.fault !== "damaged" && fault.fault !== "foreign") throw fault;
      return this.#openAnew(fault, now);
    }
  }

  /**
   * Begins anew with these changes alone, whatever the store had.
   *
   * @throws {StoreFault} If it cannot be written.
   */
  replace(changes: readonly Change[], now: number): Opened["tail"] {
    try {
      const opened = this.#store === undefined ? this.open(now) : undefined;
      const number = opened?.tail.number ?? 0;
      this.#use((store) => {
        store.apply(changes, { applied: number, now, isAll: true });
        store.begin({ isAnew: true });
        store.prune(now);
      });
      removeUnkept(this.#options.dir);
      const { store } = this.#use((each) => each.life());
      return { store, number, newest: opened?.tail.newest ?? 0 };
    } catch (error) {
      throw faultOf(error);
    }
  }

  apply(changes: readonly Change[], applied: number, now: number): void {
    this.#use((store) => store.apply(changes, { applied, now }));
  }

  prune(now: number): void {
    this.#use((store) => store.prune(now));
  }

  /** Bytes on the disk, copies put aside included. */
  bytes(): number {
    let sum = 0;
    for (const { isFile, name } of Deno.readDirSync(this.#options.dir)) {
      try {
        if (isFile) sum += Deno.statSync(`${this.#options.dir}/${name}`).size;
      } catch {
        // gone meanwhile
      }
    }
    return sum;
  }

  /** Ends the life in order. */
  end(): void {
    this.#use((store) => store.end());
  }

  [Symbol.dispose](): void {
    this.#store?.[Symbol.dispose]();
    this.#store = undefined;
  }

  #use<T>(work: (store: Store) => T): T {
    if (this.#store === undefined) throw new TypeError("Cannot use the store as it is not open");
    try {
      return work(this.#store);
    } catch (error) {
      throw faultOf(error);
    }
  }

  #open(now: number): Opened {
    const { bootId, limits, dir } = this.#options;
    const path = `${dir}/${FILE}`;
    const hasWal = sizeOf(`${path}-wal`) !== undefined;
    const store = Store.open(path, { bootId, limits });
    try {
      const { life, kept } = store.read(hasWal);
      const result = this.#goOn(store, life, kept, now);
      this.#store = store;
      return result;
    } catch (error) {
      store[Symbol.dispose]();
      throw error;
    }
  }

  #goOn(store: Store, life: LifeBefore, kept: KeptRecords, now: number): Opened {
    const { end, applied } = life;
    const files = TAIL_FILES.map((name) => this.#read(name)) as [Uint8Array, Uint8Array];
    const tail = end === "power_loss"
      ? { ok: false, why: "the machine went down, or took the newest with it" } as const
      : isUnkept(this.#options.dir)
      ? { ok: false, why: "a life of the hub since then could not be kept" } as const
      : readTail(files, life);
    if (tail.ok) {
      store.apply(tail.changes, { applied: tail.number, now });
      store.begin();
      store.prune(now);
      const { number, newest, changes } = tail;
      return { kept: merge(kept, changes), end, tail: { store: life.store, number, newest } };
    }
    const isFirst = end === "first";
    const lost = [...POSITION_KINDS].flatMap((kind) =>
      [...kept.get(kind)?.keys() ?? []].map((key): Change => ({ kind, key, body: null }))
    );
    store.apply(lost, { applied, now });
    store.begin({ isAnew: true });
    store.prune(now);
    removeUnkept(this.#options.dir);
    return {
      kept: merge(kept, lost),
      end,
      ...(isFirst ? {} : { broken: tail.why }),
      tail: { store: store.life().store, number: applied, newest: 0 },
    };
  }

  #openAnew({ message }: StoreFault, now: number): Opened {
    try {
      const path = this.#putAside(now);
      return { ...this.#open(now), broken: message, aside: { path, why: message } };
    } catch (error) {
      throw faultOf(error);
    }
  }

  /** Renames what is there, and forgets the oldest of what was renamed before. */
  #putAside(now: number): string {
    const { dir } = this.#options;
    const stamp = new Date(now * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
    const earlier = [...Deno.readDirSync(dir)].map(({ name }) => name)
      .filter((name) => name.startsWith(`${FILE}.aside-`) && !/-(wal|shm)$/.test(name)).sort();
    for (const name of earlier.slice(0, Math.max(0, earlier.length + 1 - MAX_ASIDE))) {
      for (const suffix of SUFFIXES) removeIfThere(`${dir}/${name}${suffix}`);
    }
    let aside = `${FILE}.aside-${stamp}`;
    for (let n = 2; sizeOf(`${dir}/${aside}`) !== undefined; n++) {
      aside = `${FILE}.aside-${stamp}-${n}`;
    }
    for (const suffix of SUFFIXES) {
      if (sizeOf(`${dir}/${FILE}${suffix}`) === undefined) continue;
      Deno.renameSync(`${dir}/${FILE}${suffix}`, `${dir}/${aside}${suffix}`);
    }
    return aside;
  }

  #read(name: string): Uint8Array {
    try {
      return Deno.readFileSync(`${this.#options.dir}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Uint8Array();
      throw error;
    }
  }
}

const SUFFIXES = ["", "-wal", "-shm"] as const;

function merge(kept: KeptRecords, changes: readonly Change[]): KeptRecords {
  const merged = new Map<Kind, Map<string, string>>();
  for (const [kind, entries] of kept) merged.set(kind, new Map(entries));
  for (const { kind, key, body } of changes) {
    const entries = merged.get(kind) ?? new Map<string, string>();
    if (body === null) entries.delete(key);
    else entries.set(key, body);
    merged.set(kind, entries);
  }
  for (const [kind, entries] of merged) {
    merged.set(kind, new Map([...entries].sort(([a], [b]) => a < b ? -1 : 1)));
  }
  return merged;
}

function sizeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch {
    return undefined;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // it is not, or will be tried again
  }
}
