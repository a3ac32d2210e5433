/** What clients of several hubs were told, and what must hold of it. */
import { assert, assertEquals } from "./assert.ts";
import type { Heard, WsClient } from "./ws_client.ts";

/** A fresh value. */
export function isFresh({ type, data }: Heard): boolean {
  return type === "system_status" && data.is_stale === false;
}

/** A value that is not current. */
export function isStale({ type, data }: Heard): boolean {
  return type === "system_status" && data.is_stale === true;
}

/** The numbers of frames, in the order in which they came. */
export function seqs(frames: readonly Heard[]): number[] {
  return frames.flatMap(({ seq }) => seq ?? []);
}

/** The numbered notifications in the order in which they came. */
export function notified(frames: readonly Heard[]): number[] {
  return frames.flatMap(({ type, data }) =>
    type === "notification" && typeof data.n === "number" ? data.n : []
  );
}

/** The welcome in whose numbering a client is now. */
export function lastWelcome({ frames }: WsClient): Heard {
  const welcome = frames.findLast(({ type }) => type === "welcome");
  assert(welcome);
  return welcome;
}

/** How often a client was welcomed on its connection. */
export function welcomesOf({ frames }: WsClient): number {
  return frames.filter(({ type }) => type === "welcome").length;
}

/** Numbers only grow, and none comes twice. */
export function assertAscending(frames: readonly Heard[]): void {
  const numbers = seqs(frames);
  assertEquals(numbers, [...numbers].sort((a, b) => a - b));
  assertEquals(new Set(numbers).size, numbers.length, "no number twice");
}

/** Between one welcome and the next. */
export function assertAscendingInEachEpoch(frames: readonly Heard[]): void {
  const starts = frames.flatMap(({ type }, at) => type === "welcome" ? at : []);
  for (const [nth, start] of starts.entries()) {
    assertAscending(frames.slice(start, starts[nth + 1]));
  }
}

/** No value is followed by one from long before: hubs that take over from each other poll apart. */
export function assertNeverOlder(frames: readonly Heard[]): void {
  let newest = 0;
  for (const { type, data } of frames) {
    if (type !== "system_status") continue;
    assert(data.cached_at >= newest - 1, `a value of ${data.cached_at} after one of ${newest}`);
    newest = data.cached_at;
  }
}

/** All values come from one backend: each hub has its own, and theirs count differently. */
export function assertOnePoller(frames: readonly Heard[]): void {
  const values = frames.filter(isFresh).map(({ data }) => Number(data.data.n));
  const steps = values.slice(1).map((n, at) => n - (values[at] ?? n));
  assertEquals(steps.filter((step) => step !== 1 && step !== 0), [], `values ${values.join(" ")}`);
}
