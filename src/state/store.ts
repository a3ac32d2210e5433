import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Change, KeepLimit, KeptRecords, Kind } from "./change.ts";
import { StoreFault } from "./fault.ts";
import { MIGRATIONS } from "./migrations.ts";

/** "HOLD": tells our files from those of others. */
const APPLICATION_ID = 0x484f4c44;

export interface StoreOptions {
  /** Names this boot of the machine; undefined where it cannot be known. */
  bootId: string | undefined;
  limits: readonly KeepLimit[];
}

export interface ApplyChangesOptions {
  /** Number of the newest record of the tail among the changes. */
  readonly applied: number;
  /** Unix seconds. */
  readonly now: number;
  /** They are all there is: everything else is forgotten. Default false. */
  readonly isAll?: boolean;
}

/** What a store says of the life before. */
export interface LifeBefore {
  /** The store's own name. */
  readonly store: string;
  /** Number of the newest record of the tail that it has. */
  readonly applied: number;
  /** How that life ended: in order, with the process, or perhaps with the machine. */
  readonly end: "first" | "clean" | "crash" | "power_loss";
}

/**
 * The store itself: entries by kind and key in one SQLite file. Everything here waits for the disk,
 * so it runs in a thread of its own.
 *
 * @throws {StoreFault | Error} From every method; see `faultOf`.
 */
export class Store implements Disposable {
  readonly #database: DatabaseSync;
  readonly #options: StoreOptions;
  readonly #put: StatementSync;
  readonly #forget: StatementSync;
  readonly #setMeta: StatementSync;

  private constructor(database: DatabaseSync, options: StoreOptions) {
    this.#database = database;
    this.#options = options;
    this.#put = database.prepare(
      `INSERT INTO entries (kind, key, body, at, sum) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body, at = excluded.at, sum = excluded.sum`,
    );
    this.#forget = database.prepare("DELETE FROM entries WHERE kind = ? AND key = ?");
    this.#setMeta = database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  }

  /** Opens a file, and makes it or brings it to this version where that is needed. */
  static open(path: string, options: StoreOptions): Store {
    const database = new DatabaseSync(path);
    try {
      // What another program holds is no reason to wait: the folder's lock is ours.
      database.exec("PRAGMA busy_timeout = 1000; PRAGMA trusted_schema = OFF");
      requireOurs(database);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      migrate(database, MIGRATIONS);
      return new Store(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** What the life before left; looks at every page and every entry. */
  read(hasWal: boolean): { life: LifeBefore; kept: KeptRecords } {
    const [check] = this.#database.prepare("PRAGMA quick_check").all() as { quick_check: string }[];
    if (check?.quick_check !== "ok") throw new StoreFault("damaged", "its pages do not fit");
    const kept = new Map<Kind, Map<string, string>>();
    const rows = this.#database.prepare(
      "SELECT kind, key, body, sum FROM entries ORDER BY kind, key",
    ).all() as unknown as Row[];
    for (const { kind, key, body, sum } of rows) {
      if (sumOf(kind, key, body) !== sum) {
        throw new StoreFault("damaged", `the entry ${kind} ${key} is not as it was written`);
      }
      const ofKind = kept.get(kind) ?? new Map<string, string>();
      kept.set(kind, ofKind.set(key, body));
    }
    return { life: this.life(hasWal), kept };
  }

  /**
   * A life begins: until {@linkcode Store.end} an end is none in order.
   *
   * @param options.isAnew It does not go on from the tail: from now on that belongs to another store,
   * so that it counts for nothing if the process ends before the tail is begun anew. Default: it does.
   */
  begin({ isAnew = false } = {}): void {
    this.#inTransaction(() => {
      if (isAnew || this.#meta("store") === undefined) {
        this.#setMeta.run("store", crypto.randomUUID());
      }
      this.#setMeta.run("end", "none");
      this.#setMeta.run("boot_id", this.#options.bootId ?? "");
    });
    // Into the main file as well, which may be all that a loss of power leaves.
    this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** Takes changes, all or none. */
  apply(changes: readonly Change[], { applied, now, isAll = false }: ApplyChangesOptions): void {
    this.#inTransaction(() => {
      if (isAll) this.#database.exec("DELETE FROM entries");
      for (const { kind, key, body } of changes) {
        if (body === null) this.#forget.run(kind, key);
        else this.#put.run(kind, key, body, now, sumOf(kind, key, body));
      }
      this.#setMeta.run("applied", String(applied));
    });
  }

  /** Forgets what is beyond the limits. */
  prune(now: number): void {
    this.#inTransaction(() => {
      for (const { kind, maxEntries, maxAgeMs } of this.#options.limits) {
        this.#database.prepare("DELETE FROM entries WHERE kind = ? AND at < ?")
          .run(kind, Math.floor(now - maxAgeMs / 1000));
        this.#database.prepare(
          `DELETE FROM entries WHERE kind = ? AND key IN
             (SELECT key FROM entries WHERE kind = ? ORDER BY at DESC, key DESC LIMIT -1 OFFSET ?)`,
        ).run(kind, kind, maxEntries);
      }
    });
  }

  /** The life ends in order: all of it is on the disk, come what may. */
  end(): void {
    this.#setMeta.run("end", "clean");
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** What it says of itself. */
  life(hasWal = true): LifeBefore {
    const store = this.#meta("store");
    const applied = Number(this.#meta("applied") ?? 0);
    if (store === undefined) return { store: "", applied, end: "first" };
    if (this.#meta("end") === "clean") return { store, applied, end: "clean" };
    const { bootId } = this.#options;
    const isSameBoot = bootId !== undefined && this.#meta("boot_id") === bootId;
    return { store, applied, end: isSameBoot && hasWal ? "crash" : "power_loss" };
  }

  #meta(key: string): string | undefined {
    const row = this.#database.prepare("SELECT value FROM meta WHERE key = ?").get(key) as
      | { value: string }
      | undefined;
    return row?.value;
  }

  #inTransaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // Some errors have rolled it back already.
      }
      throw error;
    }
  }
}

interface Row {
  readonly kind: Kind;
  readonly key: string;
  readonly body: string;
  readonly sum: number;
}

function sumOf(kind: string, key: string, body: string): number {
  return crc32(body, crc32(`${kind}\0${key}\0`));
}

/** @throws {StoreFault} If it is another program's file, or of a later version. */
function requireOurs(database: DatabaseSync): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  const isEmpty = database.prepare("SELECT count(*) AS n FROM sqlite_master").get()?.n === 0;
  if (id !== APPLICATION_ID && !(isEmpty && id === 0)) {
    throw new StoreFault("foreign", "it is another program's file");
  }
  if (version > MIGRATIONS.length) {
    throw new StoreFault("foreign", `it is of version ${version}; ${MIGRATIONS.length} is known`);
  }
}

/** Brings a store to the newest of these versions; each step is all or none. */
export function migrate(database: DatabaseSync, steps: readonly string[]): void {
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  for (let version = pragma(database, "user_version"); version < steps.length; version++) {
    database.exec(
      `BEGIN IMMEDIATE; ${steps[version]}; PRAGMA user_version = ${version + 1}; COMMIT`,
    );
  }
}

function pragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number> | undefined;
  return row?.[name] ?? 0;
}
