import { Spool } from "../../src/demo/spool.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { TestFolder } from "./support.ts";

const SETTLE_MS = 1000;

async function setUp() {
  const folder = await TestFolder.make();
  const clock = new FakeClock();
  const spool = await Spool.open(folder.path, { clock, settleMs: SETTLE_MS });
  return {
    folder,
    spool,
    look: async (afterMs: number) => {
      await clock.advance(afterMs);
      return (await spool.look()).map(({ name }) => name);
    },
    [Symbol.asyncDispose]: async () => {
      spool[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

Deno.test("Spool.look() shows a file once it has not changed for a while", async () => {
  await using test = await setUp();
  const { folder, look } = test;
  await Deno.writeTextFile(folder.at("a b ü.txt"), "one");
  assertEquals(await look(0), []);
  assertEquals(await look(SETTLE_MS - 1), []);
  await Deno.writeTextFile(folder.at("a b ü.txt"), "two", { append: true });
  assertEquals(await look(1), [], "it has grown");
  assertEquals(await look(SETTLE_MS - 1), []);
  assertEquals(await look(1), ["a b ü.txt"]);
});

Deno.test("Spool.look() shows the files changed longest ago first", async () => {
  await using test = await setUp();
  const { folder, look } = test;
  for (const [name, seconds] of [["new", 3000], ["old", 1000], ["middle", 2000]] as const) {
    await Deno.writeTextFile(folder.at(name), "x");
    await Deno.utime(folder.at(name), seconds, seconds);
  }
  await look(0);
  assertEquals(await look(SETTLE_MS), ["old", "middle", "new"]);
});

Deno.test("Spool.look() leaves links, folders and unfinished files alone", async () => {
  await using test = await setUp();
  const { folder, look } = test;
  for (const name of [".hidden", "big.iso.part", "x.tmp", "y.crdownload", "plain"]) {
    await Deno.writeTextFile(folder.at(name), "x");
  }
  await Deno.mkdir(folder.at("folder"));
  await Deno.symlink("/etc/hostname", folder.at("link"));
  await Deno.symlink(folder.at("plain"), folder.at("inner link"));
  await look(0);
  assertEquals(await look(SETTLE_MS), ["plain"]);
});

Deno.test("Spool.open() clears away what a killed process left half done, and nothing else", async () => {
  await using folder = await TestFolder.make();
  await Deno.mkdir(folder.at("done"));
  for (const name of [".holdfast-12.part", "a.gz", "b.part"]) {
    await Deno.writeTextFile(folder.at("done", name), "x");
  }
  using _spool = await Spool.open(folder.path, { clock: new FakeClock(), settleMs: 1 });
  assertEquals(await folder.names("done"), ["a.gz", "b.part"]);
});

Deno.test("Spool.open() makes the folder where there is none", async () => {
  await using folder = await TestFolder.make();
  using spool = await Spool.open(folder.at("new", "spool"), {
    clock: new FakeClock(),
    settleMs: 1,
  });
  assertEquals(spool.path, folder.at("new", "spool"));
  assertEquals(await folder.names("new", "spool"), ["done"]);
});

Deno.test("Spool.open() refuses a folder that cannot be a spool", async () => {
  await using folder = await TestFolder.make();
  const options = { clock: new FakeClock(), settleMs: 1 };
  await Deno.writeTextFile(folder.at("file"), "x");
  await assertRejects(() => Spool.open(folder.at("file"), options), TypeError, "not a folder");
  await Deno.mkdir(folder.at("outside"));
  await Deno.mkdir(folder.at("spool"));
  await Deno.symlink(folder.at("outside"), folder.at("spool", "done"));
  await assertRejects(() => Spool.open(folder.at("spool"), options), TypeError, "is a link");
});
