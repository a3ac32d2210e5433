import { SnapshotCache } from "../../src/resilience/snapshot_cache.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("SnapshotCache.read() tells a value with its age, old from `staleAfterMs` on", () => {
  const cache = new SnapshotCache<string>();
  cache.store("a", "v", { now: 1000, unixSeconds: 50, staleAfterMs: 100 });
  assertEquals(cache.read("a", 1099), { value: "v", storedAt: 50, ageMs: 99, isOld: false });
  assertEquals(cache.read("a", 1100), { value: "v", storedAt: 50, ageMs: 100, isOld: true });
});

Deno.test("SnapshotCache.read() knows nothing of a key that was never stored or was forgotten", () => {
  const cache = new SnapshotCache<string>();
  assertEquals(cache.read("a", 0), undefined);
  cache.store("a", "v", { now: 0, unixSeconds: 0 });
  cache.store("b", "w", { now: 0, unixSeconds: 0 });
  cache.forget("a");
  assertEquals(cache.read("a", 0), undefined);
  assertEquals(cache.read("b", 0)?.value, "w");
});

Deno.test("SnapshotCache.store() replaces value, age and limit", () => {
  const cache = new SnapshotCache<string>();
  cache.store("a", "old", { now: 0, unixSeconds: 1, staleAfterMs: 5 });
  cache.store("a", "new", { now: 100, unixSeconds: 2 });
  assertEquals(cache.read("a", 1e9), {
    value: "new",
    storedAt: 2,
    ageMs: 1e9 - 100,
    isOld: false,
  });
});

Deno.test("SnapshotCache.read() gives whole milliseconds, never below 0", () => {
  const cache = new SnapshotCache<string>();
  cache.store("a", "v", { now: 10.4, unixSeconds: 0 });
  assertEquals(cache.read("a", 12.6)?.ageMs, 2);
  assertEquals(cache.read("a", 5)?.ageMs, 0);
});
