import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { MAX_TAIL_BODY, readTail, Tail, type TailFile } from "../../src/state/tail.ts";
import { encodeRecord, scanRecords } from "../../src/state/tail_record.ts";
import { put } from "./support.ts";

/** A file in memory; `room` is how many bytes there is room for. */
class MemoryFile implements TailFile {
  bytes = new Uint8Array();
  room = Infinity;
  #at = 0;

  writeSync(bytes: Uint8Array): number {
    const fits = Math.min(bytes.length, this.room);
    if (fits === 0) throw new Error("No space left on device (os error 28)");
    const grown = new Uint8Array(Math.max(this.bytes.length, this.#at + fits));
    grown.set(this.bytes);
    grown.set(bytes.subarray(0, fits), this.#at);
    this.bytes = grown;
    this.#at += fits;
    this.room -= fits;
    return fits;
  }

  truncateSync(length: number): void {
    this.bytes = this.bytes.slice(0, length);
  }

  seekSync(offset: number): number {
    return this.#at = offset;
  }
}

function tailOf(): { tail: Tail; a: MemoryFile; b: MemoryFile } {
  const [a, b] = [new MemoryFile(), new MemoryFile()];
  const tail = new Tail([a, b]);
  tail.begin("s", 0, 1);
  return { tail, a, b };
}

const read = (a: MemoryFile, b: MemoryFile, applied = 0, store = "s") =>
  readTail([a.bytes, b.bytes], { store, applied });

Deno.test("Tail gives back, in order, what the store lacks", () => {
  const { tail, a, b } = tailOf();
  tail.append([put("value", "x", 1)], 0);
  tail.append([put("value", "x", 2), put("value", "y", 3)], 0);
  assertEquals(read(a, b), {
    ok: true,
    changes: [put("value", "x", 1), put("value", "x", 2), put("value", "y", 3)],
    number: 2,
    newest: 0,
  });
  assertEquals(read(a, b, 2), { ok: true, changes: [], number: 2, newest: 0 });
});

Deno.test("Tail turns to its other file once the store has what is in that one", () => {
  const { tail, a, b } = tailOf();
  const long = "x".repeat(200_000);
  for (let n = 1; n <= 6; n++) tail.append([put("value", "x", long)], 0);
  assertEquals(b.bytes.length, 0);
  tail.append([put("value", "x", "turned")], 0);
  assert(b.bytes.length > 0);
  assertEquals(read(a, b, 6).ok, true);
  for (let n = 8; n <= 14; n++) tail.append([put("value", "x", long)], 6); // 7 is not in the store
  for (let n = 15; n <= 16; n++) tail.append([put("value", "x", n)], 14);
  const after = read(a, b, 14);
  assert(after.ok && after.number === 16 && after.changes.length === 2);
  // The first seven are gone: a store that has no more than them lacks some.
  assertEquals(read(a, b, 5).ok, false);
});

Deno.test("Tail leaves nothing half-written where the disk is full", () => {
  const { tail, a, b } = tailOf();
  tail.append([put("value", "x", 1)], 0);
  a.room = 20;
  assertThrows(() => tail.append([put("value", "x", "a longer one")], 0), Error, "No space");
  a.room = Infinity;
  assertEquals(tail.append([put("value", "x", 2)], 0), 2);
  const after = read(a, b);
  assert(after.ok && after.changes.length === 2);
});

Deno.test("Tail says nothing of a body too long for it: the one before stands", () => {
  const { tail, a, b } = tailOf();
  tail.append([put("value", "x", 1)], 0);
  tail.append([put("value", "x", "y".repeat(MAX_TAIL_BODY + 1)), put("age", "x", 2)], 0);
  const after = read(a, b);
  assertEquals(after.ok && after.changes, [put("value", "x", 1), put("age", "x", 2)]);
});

Deno.test("readTail() is not fooled by a store that went back, or by missing files", () => {
  const { tail, a, b } = tailOf();
  for (let n = 1; n <= 3; n++) tail.append([put("value", "x", n)], n - 1);
  assertEquals(read(a, b, 4).ok, false); // the store has more than the tail ever said
  assertEquals(read(a, b, 3, "another").ok, false);
  assertEquals(read(new MemoryFile(), new MemoryFile(), 3).ok, false);
  const again = tailOf();
  again.tail.begin("s", 3, 0); // begun after 3: a store with 2 has lost one
  assertEquals(read(again.a, again.b, 2).ok, false);
  assertEquals(read(again.a, again.b, 3).ok, true);
});

Deno.test("Tail that was spoiled is worth nothing", () => {
  const { tail, a, b } = tailOf();
  tail.append([put("value", "x", 1)], 0);
  tail.spoil();
  assertEquals(read(a, b).ok, false);
});

Deno.test("scanRecords() tells a record cut short from a damaged one", () => {
  const one = encodeRecord({ number: 1, text: "[]" });
  const two = encodeRecord({ number: 2, text: '["two"]' });
  const both = new Uint8Array([...one, ...two]);
  for (let length = one.length; length < both.length; length++) {
    const { records, isDamaged } = scanRecords(both.subarray(0, length));
    assertEquals([records.length, isDamaged], [1, false], `cut at ${length}`);
  }
  for (let at = 0; at < both.length; at++) {
    const bent = both.slice();
    bent[at] = (bent[at] ?? 0) ^ 0x40;
    const { records, isDamaged } = scanRecords(bent);
    assertEquals([records.length, isDamaged], [at < one.length ? 0 : 1, true], `bent at ${at}`);
  }
});
