/**
 * Run in the hub's process before the hub: counts timers that were set and have neither fired nor
 * been cleared, and says so in a line like those of the hub's log, with the size of the heap.
 */
const EVERY_MS = 5000;

const { setTimeout: set, clearTimeout: clear, setInterval: setEvery, clearInterval: clearEvery } =
  globalThis;
/** By number: some clear a timer by that alone. */
const waiting = new Set<number>();
const encoder = new TextEncoder();

// deno-lint-ignore no-explicit-any -- whatever a timer's callback takes
type Callback = (...args: any[]) => void;

globalThis.setTimeout = ((callback: Callback, ms?: number, ...args: unknown[]) => {
  const id = set(() => {
    waiting.delete(Number(id));
    callback(...args);
  }, ms);
  waiting.add(Number(id));
  return id;
}) as typeof setTimeout;
globalThis.setInterval = ((callback: Callback, ms?: number, ...args: unknown[]) => {
  const id = setEvery(() => callback(...args), ms);
  waiting.add(Number(id));
  return id;
}) as typeof setInterval;
globalThis.clearTimeout = (id) => {
  waiting.delete(Number(id));
  clear(id);
};
globalThis.clearInterval = (id) => {
  waiting.delete(Number(id));
  clearEvery(id);
};

const ticking = setEvery(() => {
  const { heapUsed } = Deno.memoryUsage();
  const line = { event: "soak.counted", level: "debug", timers: waiting.size, heap: heapUsed };
  Deno.stderr.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
}, EVERY_MS);
Deno.unrefTimer(ticking);
