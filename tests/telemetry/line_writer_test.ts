import { type ByteSink, LineWriter, MAX_WAITING_CHARS } from "../../src/telemetry/line_writer.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** A stream whose reader stands still until it is let go. */
class HeldStream implements ByteSink {
  text = "";
  writes = 0;
  /** Thrown by the next write. */
  failure: Error | undefined;
  /** Bytes taken before the failure. */
  takesBeforeFailure = 0;
  #gate = Promise.withResolvers<void>();

  async write(bytes: Uint8Array): Promise<number> {
    this.writes += 1;
    await this.#gate.promise;
    if (this.failure !== undefined && this.takesBeforeFailure > 0) {
      const taken = this.takesBeforeFailure;
      this.takesBeforeFailure = 0;
      this.text += new TextDecoder().decode(bytes.subarray(0, taken));
      return taken;
    }
    if (this.failure !== undefined) throw this.failure;
    // A stream need not take all at once.
    const part = bytes.subarray(0, Math.max(1, bytes.length >> 1));
    this.text += new TextDecoder().decode(part);
    return part.length;
  }

  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  letGo(): void {
    this.#gate.resolve();
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

const LONG_MS = 10_000;

Deno.test("C04: LineWriter never waits for its reader, and keeps the order", async () => {
  const stream = new HeldStream();
  const writer = new LineWriter(stream);
  for (let nth = 0; nth < 1000; nth++) writer.write(`line ${nth}`);
  assertEquals(stream.writes, 1, "one write at a time");
  assertEquals(await writer.flush(1), false);
  stream.letGo();
  assertEquals(await writer.flush(LONG_MS), true);
  assertEquals(stream.lines, Array.from({ length: 1000 }, (_, nth) => `line ${nth}`));
  assertEquals(writer.leftOut, 0);
});

Deno.test("C04: LineWriter leaves out what is too much, and says how many lines that were", async () => {
  const stream = new HeldStream();
  const writer: LineWriter = new LineWriter(stream, {
    onLeftOut: (lines) => writer.write(`left out: ${lines}`),
  });
  const line = "x".repeat(1023);
  writer.write("first"); // handed over at once
  const fits = Math.floor(MAX_WAITING_CHARS / line.length);
  for (let nth = 0; nth < fits + 100; nth++) writer.write(line);
  assertEquals(writer.leftOut, 100);
  stream.letGo();
  assertEquals(await writer.flush(LONG_MS), true);
  assertEquals(stream.lines.length, 1 + fits + 1);
  assertEquals(stream.lines.at(-1), "left out: 100");
  writer.write("after");
  await writer.flush(LONG_MS);
  assertEquals(stream.lines.at(-1), "after");
  assertEquals(writer.leftOut, 100);
});

Deno.test("C04: LineWriter takes a line longer than all that may wait", async () => {
  const stream = new HeldStream();
  stream.letGo();
  const writer = new LineWriter(stream);
  writer.write("y".repeat(2 * MAX_WAITING_CHARS));
  writer.write("short");
  await writer.flush(LONG_MS);
  assert(writer.leftOut <= 1);
  assertEquals(stream.lines[0]?.length, 2 * MAX_WAITING_CHARS);
});

Deno.test("C04: LineWriter counts what a full disk did not take, and goes on with a line of its own", async () => {
  const stream = new HeldStream();
  stream.letGo();
  const writer: LineWriter = new LineWriter(stream, {
    onLeftOut: (lines) => writer.write(`left out: ${lines}`),
  });
  stream.failure = new Error("no space left on device");
  stream.takesBeforeFailure = 4;
  writer.write("a line that is cut");
  await writer.flush(LONG_MS);
  writer.write("another");
  await writer.flush(LONG_MS);
  stream.failure = undefined;
  writer.write("room again");
  await writer.flush(LONG_MS);
  assertEquals(stream.lines, ["a li", "room again", "left out: 2"]);
});

Deno.test("C04: LineWriter keeps a line about each of ten thousand clients that end in one turn", async () => {
  const stream = new HeldStream();
  const writer = new LineWriter(stream);
  const line = "z".repeat(400);
  for (let nth = 0; nth < 10_000; nth++) writer.write(line);
  stream.letGo();
  assertEquals(await writer.flush(LONG_MS), true);
  assertEquals([stream.lines.length, writer.leftOut], [10_000, 0]);
});
