import {
  BATCH_WINDOW_MS,
  type BatchHolder,
  BatchWindows,
  MAX_BATCH_WINDOW_MS,
} from "../../../src/hub/delivery/batch_windows.ts";
import type { Clock } from "../../../src/resilience/clock.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** Windows on a clock that goes on by itself while a test says that somebody works. */
class WindowsBench implements Disposable {
  readonly clock = new FakeClock();
  readonly windows: BatchWindows;
  readonly #stop = new AbortController();
  #worked = 0;

  constructor() {
    const clock: Clock = {
      now: () => this.clock.now() + this.#worked,
      unixMs: () => this.clock.unixMs(),
      unixSeconds: () => this.clock.unixSeconds(),
      sleep: (ms, options) => this.clock.sleep(ms, options),
    };
    this.windows = new BatchWindows({ clock, signal: this.#stop.signal, maxEvents: 10 });
  }

  /** Opens a window and lets it end, with a client for which writing takes so long. */
  async window(writingMs: number): Promise<void> {
    const gatherer = { release: () => this.#worked += writingMs };
    this.windows.add(gatherer, this.clock.now() + this.#worked + BATCH_WINDOW_MS);
    await this.clock.advance(BATCH_WINDOW_MS);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}

Deno.test("BatchWindows has clients that gather at nearly the same time released together", async () => {
  using bench = new WindowsBench();
  const released: string[] = [];
  const gatherer = (name: string): BatchHolder => ({
    release: (now) => released.push(`${name} ${now}`),
  });
  bench.windows.add(gatherer("a"), 16);
  bench.windows.add(gatherer("b"), 13);
  bench.windows.add(gatherer("c"), 17);
  assertEquals(bench.clock.sleeping, 2);
  await bench.clock.advance(20);
  assertEquals(released, ["a 16", "b 16", "c 17"], "never too soon, at most a little late");
});

Deno.test("BatchWindows makes windows longer while writing takes half of them, within a bound", async () => {
  using bench = new WindowsBench();
  await bench.window(1);
  assertEquals(bench.windows.lengthMs, BATCH_WINDOW_MS);
  await bench.window(20);
  assertEquals(bench.windows.lengthMs, 40);
  await bench.window(5000);
  assertEquals(bench.windows.lengthMs, MAX_BATCH_WINDOW_MS);
  await bench.window(0);
  assertEquals(bench.windows.lengthMs, BATCH_WINDOW_MS);
});

Deno.test("BatchWindows starts each window's batches anew, and keeps nothing of the old ones", async () => {
  using bench = new WindowsBench();
  const { empty } = bench.windows;
  await bench.window(0);
  assert(bench.windows.empty !== empty);
  assertEquals(bench.windows.empty.size, 0);
});
