import { identityOf } from "../../src/demo/file_identity.ts";
import { gzipFile, type GzipFileOptions, type GzipProgress } from "../../src/demo/gzip_file.ts";
import { systemClock } from "../../src/resilience/clock.ts";
import { assert, assertEquals, assertGreater, assertMatch } from "../support/assert.ts";
import { bytesOf, gunzip, TestFolder } from "./support.ts";

const NAME = "report 2026 – Übersicht 日本.txt";

/** A folder with a file, and what compressing that needs. */
async function setUp(bytes: number) {
  const folder = await TestFolder.make();
  await Deno.mkdir(folder.at("done"));
  const path = folder.at(NAME);
  const content = bytesOf(bytes);
  await Deno.writeFile(path, content);
  const stop = new AbortController();
  const options: GzipFileOptions = {
    identity: identityOf(await Deno.lstat(path)),
    partial: folder.at("done", ".partial"),
    target: folder.at("done", `${NAME}.gz`),
    signal: stop.signal,
    clock: systemClock,
  };
  return {
    folder,
    path,
    content,
    stop,
    options,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("gzipFile() replaces a file by its compressed form and tells its progress", async () => {
  await using test = await setUp(3_000_000);
  const { folder, path, options, content } = test;
  const seen: GzipProgress[] = [];
  const outcome = await gzipFile(path, { ...options, onProgress: (each) => seen.push(each) });
  assert(outcome.kind === "done", JSON.stringify(outcome));
  const { size } = await Deno.stat(options.target);
  assertEquals([outcome.readBytes, outcome.writtenBytes], [content.length, size]);
  assertEquals(await gunzip(options.target), new Uint8Array(content));
  assertEquals([await folder.names(), await folder.names("done")], [["done"], [`${NAME}.gz`]]);
  assertGreater(seen.length, 10);
  assertEquals(
    seen.map(({ readBytes }) => readBytes),
    seen.map((e) => e.readBytes).toSorted((a, b) => a - b),
  );
});

Deno.test("gzipFile() compresses an empty file", async () => {
  await using test = await setUp(0);
  const { path, options } = test;
  assertEquals((await gzipFile(path, options)).kind, "done");
  assertEquals((await gunzip(options.target)).length, 0);
});

Deno.test("gzipFile() rolls back when aborted in the middle", async () => {
  await using test = await setUp(3_000_000);
  const { folder, path, options, stop, content } = test;
  const outcome = await gzipFile(path, {
    ...options,
    maxBytesPerSecond: 10_000_000,
    onProgress: ({ readBytes }) => {
      if (readBytes > 500_000) stop.abort();
    },
  });
  assertEquals(outcome, { kind: "rolled_back" });
  assertEquals(await folder.names("done"), []);
  assertEquals(await Deno.readFile(path), content);
});

Deno.test("gzipFile() does not overwrite what is there", async () => {
  await using test = await setUp(1000);
  const { folder, path, options } = test;
  await Deno.writeTextFile(options.target, "precious");
  const outcome = await gzipFile(path, options);
  assert(outcome.kind === "failed");
  assertMatch(outcome.reason, /done\/report.*\.gz exists already/);
  assertEquals(outcome.blockedBy, options.target);
  assertEquals(await Deno.readTextFile(options.target), "precious");
  assertEquals(await folder.names(), ["done", NAME]);
});

Deno.test("gzipFile() does not overwrite what appears while it works", async () => {
  await using test = await setUp(300_000);
  const { folder, path, options } = test;
  const onProgress = () => Deno.writeTextFileSync(options.target, "precious");
  const outcome = await gzipFile(path, { ...options, onProgress });
  assertEquals(outcome.kind, "failed");
  assertEquals(await Deno.readTextFile(options.target), "precious");
  assertEquals(await folder.names("done"), [`${NAME}.gz`]);
});

Deno.test("gzipFile() leaves a file alone that changes while it works", async () => {
  await using test = await setUp(300_000);
  const { folder, path, options } = test;
  const onProgress = () => Deno.writeTextFileSync(path, "more", { append: true });
  const outcome = await gzipFile(path, { ...options, onProgress });
  assert(outcome.kind === "failed");
  assertMatch(outcome.reason, /changed or replaced/);
  assertEquals([await folder.names("done"), await folder.names()], [[], ["done", NAME]]);
});

Deno.test("gzipFile() does not follow a link that took the file's name", async () => {
  await using test = await setUp(1000);
  const { folder, path, options } = test;
  await Deno.writeTextFile(folder.at(".secret"), "x".repeat(1000));
  await Deno.remove(path);
  await Deno.symlink(folder.at(".secret"), path);
  assertEquals((await gzipFile(path, options)).kind, "failed");
  assertEquals(await folder.names("done"), []);
});

Deno.test("gzipFile() fails with a reason when the disk is full, and leaves nothing", async () => {
  await using test = await setUp(300_000);
  const { folder, path, options } = test;
  const outcome = await gzipFile(path, {
    ...options,
    open: (name, how) =>
      name === options.partial ? Deno.open("/dev/full", { write: true }) : Deno.open(name, how),
  });
  assertEquals(outcome, { kind: "failed", reason: "no space left on the disk" });
  assertEquals([await folder.names("done"), await folder.names()], [[], ["done", NAME]]);
});

Deno.test("gzipFile() fails with a reason when the file may not be read", async () => {
  await using test = await setUp(1000);
  const { path, options } = test;
  const open = (name: string | URL, how?: Deno.OpenOptions) => {
    if (name === path) throw Object.assign(new Error("no"), { code: "EACCES" });
    return Deno.open(name, how);
  };
  assertEquals(await gzipFile(path, { ...options, open }), {
    kind: "failed",
    reason: "permission denied",
  });
});

Deno.test("gzipFile() fails with a reason when .gz makes the name too long", async () => {
  await using test = await setUp(1000);
  const { folder, path, options } = test;
  const target = folder.at("done", `${"n".repeat(254)}.gz`);
  const outcome = await gzipFile(path, { ...options, target });
  assert(outcome.kind === "failed");
  assertMatch(outcome.reason, /name is too long/);
  assertEquals(await folder.names("done"), []);
});

Deno.test("gzipFile() takes a file that has gone for no work at all", async () => {
  await using test = await setUp(1000);
  const { folder, path, options } = test;
  await Deno.remove(path);
  assertEquals(await gzipFile(path, options), { kind: "rolled_back" });
  assertEquals(await folder.names("done"), []);
});
