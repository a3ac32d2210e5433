import { DatabaseSync } from "node:sqlite";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { MIGRATIONS } from "../../src/state/migrations.ts";
import { migrate, Store } from "../../src/state/store.ts";
import { StoreFolder } from "../../src/state/store_folder.ts";
import { put, StateDir } from "./support.ts";

const OPTIONS = { bootId: "boot-1", limits: [] };

Deno.test("migrate() brings a store of every earlier version to the newest, entries and all", () => {
  for (let from = 0; from <= MIGRATIONS.length; from++) {
    using database = new DatabaseSync(":memory:");
    migrate(database, MIGRATIONS.slice(0, from));
    if (from > 0) {
      database.exec("INSERT INTO entries VALUES ('value', 'x', '1', 2, 3)");
    }
    migrate(database, MIGRATIONS);
    assertEquals(database.prepare("PRAGMA user_version").get(), {
      user_version: MIGRATIONS.length,
    });
    assertEquals(
      database.prepare("SELECT count(*) AS n FROM entries").get(),
      { n: from > 0 ? 1 : 0 },
    );
  }
});

Deno.test("migrate() leaves a store as it was where a step fails", () => {
  using database = new DatabaseSync(":memory:");
  migrate(database, MIGRATIONS);
  const steps = [...MIGRATIONS, "CREATE TABLE later (x INTEGER)", "INSERT INTO nowhere VALUES (1)"];
  assertThrows(() => migrate(database, steps));
  assertEquals(database.prepare("PRAGMA user_version").get(), {
    user_version: MIGRATIONS.length + 1,
  });
});

Deno.test("Store prunes what is too old and what is too many", async () => {
  await using dir = await StateDir.make();
  const limits = [{ kind: "frame", maxEntries: 2, maxAgeMs: 60_000 }] as const;
  using store = Store.open(`${dir.path}/x.db`, { bootId: "b", limits });
  store.apply([put("frame", "01", 1), put("value", "old", 1)], { applied: 1, now: 100 });
  store.apply([put("frame", "02", 2), put("frame", "03", 3), put("frame", "04", 4)], {
    applied: 2,
    now: 150,
  });
  store.prune(155);
  assertEquals([...store.read(true).kept.get("frame")?.keys() ?? []], ["03", "04"]);
  store.prune(1000);
  assertEquals([...store.read(true).kept.keys()], ["value"]);
});

Deno.test("StoreFolder tells an end in order, whichever boot it was on", async () => {
  await using dir = await StateDir.make();
  const changes = [put("position", "hub", { seq: 7 }), put("value", "x", 1)];
  {
    using folder = new StoreFolder({ dir: dir.path, ...OPTIONS });
    const { end, broken, tail } = folder.open(1);
    assertEquals([end, broken, tail.number], ["first", undefined, 0]);
    folder.apply(changes, 0, 2);
    folder.end();
  }
  using folder = new StoreFolder({ dir: dir.path, bootId: "boot-2", limits: [] });
  const { end } = folder.open(3);
  assertEquals(end, "clean");
});

Deno.test("StoreFolder puts aside what is damaged, foreign or of a later version, three copies at most", async () => {
  await using dir = await StateDir.make();
  const path = `${dir.path}/holdfast.db`;
  const foreign = () => {
    using database = new DatabaseSync(path);
    database.exec("CREATE TABLE theirs (x INTEGER); PRAGMA application_id = 77");
  };
  const later = () => {
    using database = new DatabaseSync(path);
    migrate(database, MIGRATIONS);
    database.exec("PRAGMA user_version = 9999");
  };
  const nonsense = () => Deno.writeTextFileSync(path, "not a database, not at all\n".repeat(500));
  const whys: string[] = [];
  for (const [at, make] of [nonsense, foreign, later, nonsense].entries()) {
    for (const name of dir.files()) {
      if (/^holdfast\.db(-wal|-shm)?$/.test(name)) await Deno.remove(`${dir.path}/${name}`);
    }
    make();
    using folder = new StoreFolder({ dir: dir.path, ...OPTIONS });
    const { aside, kept } = folder.open(1_764_000_000 + at);
    assertEquals(kept.size, 0);
    whys.push(aside?.why ?? "not put aside");
    assertEquals(dir.files().includes(aside?.path ?? "?"), true);
    folder.apply([put("value", "x", at)], 0, 1);
  }
  assertEquals(whys, [
    "file is not a database",
    "it is another program's file",
    `it is of version 9999; ${MIGRATIONS.length} is known`,
    "file is not a database",
  ]);
  const aside = dir.files().filter((name) => /\.aside-[^-]*Z$/.test(name));
  assertEquals(aside.length, 3);
});
