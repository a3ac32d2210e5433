import { seed } from "../../src/demo/seeder.ts";
import { systemClock } from "../../src/resilience/clock.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { eventually, TestFolder } from "./support.ts";

Deno.test("seed() writes whole files, no more than may wait, and removes old results", async () => {
  await using folder = await TestFolder.make();
  await Deno.mkdir(folder.at("done"));
  for (const name of ["log-000901.txt.gz", "log-000902.txt.gz", "log-000903.txt.gz", "mine.gz"]) {
    await Deno.writeTextFile(folder.at("done", name), "x");
  }
  const stop = new AbortController();
  const sizes = { minBytes: 100_000, maxBytes: 100_000 };
  const bounds = { maxWaiting: 2, maxResults: 1, everyMs: 5 };
  const options = { clock: systemClock, directory: folder.path, ...bounds, ...sizes };
  const seeding = seed(options, stop);
  const files = async () => (await folder.names()).filter((name) => name.startsWith("log-"));
  await eventually(async () => (await files()).length === 2 || undefined);
  await Deno.remove(folder.at("log-000001.txt"));
  await eventually(async () => (await files()).includes("log-000003.txt") || undefined);
  assertEquals((await files()).length, 2);
  const { size } = await Deno.stat(folder.at("log-000002.txt"));
  assertEquals(size >= 100_000 && size < 150_000, true, String(size));
  assertMatch(await Deno.readTextFile(folder.at("log-000002.txt")), /^20\d\d-.* of \w+ \d+\n/);
  stop.abort();
  await seeding;
  assertEquals(await folder.names("done"), ["log-000903.txt.gz", "mine.gz"]);
  assertEquals((await folder.names()).filter((name) => name.startsWith(".")), []);
});
