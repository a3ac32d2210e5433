import { assert, assertEquals } from "@std/assert";
import type { LockFile } from "../../scripts/compile/lock_file.ts";
import { DEVELOPMENT_LOCK, PROGRAM_LOCK, programLock } from "../../scripts/lock.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("a first start fetches what the program runs: deno.lock is that part of deno.dev.lock", async () => {
  const text = await Deno.readTextFile(new URL(PROGRAM_LOCK, ROOT));
  assertEquals(
    text,
    await programLock(),
    "run `deno run --no-lock --allow-all scripts/lock.ts`, which writes both lock files",
  );
});

Deno.test("no package of tests, scripts or the page's build is in the lock file of a start", async () => {
  const lock: LockFile = JSON.parse(await Deno.readTextFile(new URL(PROGRAM_LOCK, ROOT)));
  const { imports, scopes }: {
    imports: Record<string, string>;
    scopes: Record<string, Record<string, string>>;
  } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const development = Object.values(scopes).flatMap((scope) => Object.keys(scope));
  assert(development.includes("fast-check"), "deno.json has the packages of tests in a scope");
  for (const name of development) {
    assertEquals(imports[name], undefined, `${name} of a scope is among the program's imports`);
    const locked = Object.keys(lock.npm).filter((key) =>
      key.startsWith(`${name.replace(/\/$/, "")}@`)
    );
    assertEquals(locked, [], `${name} is fetched by every first start`);
  }
  assert(Object.keys(lock.npm).some((key) => key.startsWith("zod@")), "what the program needs is");
});

Deno.test("what is run from a checkout goes by deno.lock, what checks it by deno.dev.lock", async () => {
  const { tasks, lock }: {
    tasks: Record<string, { command: string }>;
    lock: unknown;
  } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assertEquals(lock, { path: PROGRAM_LOCK, frozen: true });
  const lockOf = (task: string) => /--lock=(\S+)/.exec(tasks[task]?.command ?? "")?.[1];
  for (const task of ["start", "demo", "compile"]) assertEquals(lockOf(task), undefined, task);
  for (const task of ["test", "check", "page"]) assertEquals(lockOf(task), DEVELOPMENT_LOCK, task);
});
