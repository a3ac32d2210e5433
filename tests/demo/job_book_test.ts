import { JobBook, MAX_ENDED, MAX_QUEUED, MAX_QUEUED_LISTED } from "../../src/demo/job_book.ts";
import type { SpoolFile } from "../../src/demo/spool.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";

const NOW = FakeClock.EPOCH;
const { signal } = new AbortController();

function file(name: string, size = 1000): SpoolFile {
  return { name, path: `/spool/${name}`, identity: { dev: 1, ino: 1, size, mtimeMs: 0 } };
}

function bookOf(count: number): JobBook {
  const book = new JobBook({ clock: new FakeClock() });
  for (let at = 0; at < count; at++) book.add(file(`f${at}`));
  return book;
}

Deno.test("JobBook.status() follows a job through its states", async () => {
  const book = bookOf(1);
  const common = { id: "1", file: "f0", original_bytes: 1000, queued_at: NOW };
  assertEquals(book.status().jobs, [
    { ...common, state: "queued", read_bytes: 0, written_bytes: 0, progress_ratio: 0 },
  ]);
  const job = await book.take("agent-1", { signal });
  assert(job?.state.kind === "compressing");
  job.state.progress = { readBytes: 500, writtenBytes: 100 };
  const begun = { ...common, agent: "agent-1", started_at: NOW };
  assertEquals(book.status().jobs, [{
    ...begun,
    state: "compressing",
    read_bytes: 500,
    written_bytes: 100,
    progress_ratio: 0.5,
    ratio: 0.2,
  }]);
  book.end(job, { kind: "done", readBytes: 1000, writtenBytes: 250 });
  assertEquals(book.status(), {
    queued: 0,
    compressing: 0,
    done: 1,
    failed: 0,
    read_bytes: 1000,
    written_bytes: 250,
    jobs: [{
      ...begun,
      state: "done",
      read_bytes: 1000,
      written_bytes: 250,
      progress_ratio: 1,
      ratio: 0.25,
      finished_at: NOW,
    }],
    unlisted: 0,
  });
});

Deno.test("JobBook.end() keeps why a job failed, and forgets one that was rolled back", async () => {
  const book = bookOf(2);
  const [first, second] = [await book.take("a", { signal }), await book.take("b", { signal })];
  assert(first && second);
  book.end(first, { kind: "failed", reason: "permission denied" });
  book.end(second, { kind: "rolled_back" });
  const { failed, jobs } = book.status();
  assertEquals([failed, jobs.length, jobs[0]?.reason], [1, 1, "permission denied"]);
  assertEquals(book.has("f1"), false);
});

Deno.test("JobBook.add() refuses what finds no room, and lists a part of the queue", () => {
  const book = bookOf(MAX_QUEUED);
  assertEquals([book.room, book.add(file("late"))], [0, false]);
  const { queued, jobs, unlisted } = book.status();
  assertEquals([queued, jobs.length], [MAX_QUEUED, MAX_QUEUED_LISTED]);
  assertEquals(unlisted, MAX_QUEUED - MAX_QUEUED_LISTED);
});

Deno.test("JobBook.end() remembers the last jobs only, but all of the totals", async () => {
  const book = bookOf(MAX_ENDED + 5);
  for (let at = 0; at < MAX_ENDED + 5; at++) {
    const job = await book.take("a", { signal });
    assert(job);
    book.end(job, { kind: "done", readBytes: 10, writtenBytes: 1 });
  }
  const { done, read_bytes, jobs } = book.status();
  assertEquals([done, read_bytes, jobs.length], [MAX_ENDED + 5, 10 * (MAX_ENDED + 5), MAX_ENDED]);
  assertEquals(jobs[0]?.file, `f${MAX_ENDED + 4}`, "the newest first");
});

Deno.test("JobBook.take() gives each job once, waits for one, and ends when aborted", async () => {
  const book = bookOf(0);
  const stop = new AbortController();
  const takes = [book.take("a", stop), book.take("b", stop)];
  book.add(file("only"));
  const first = await Promise.race(takes);
  assertEquals(first?.file.name, "only");
  assertEquals(book.has("only"), true);
  stop.abort();
  const taken = await Promise.all(takes);
  assertEquals(taken.filter((job) => job !== undefined).length, 1);
  assertEquals(await book.take("a", stop), undefined);
});
