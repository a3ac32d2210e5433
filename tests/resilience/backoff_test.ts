import { Backoff } from "../../src/resilience/backoff.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

function nominals(backoff: Backoff, steps: number): number[] {
  const waits: number[] = [];
  for (let step = 0; step < steps; step++) {
    waits.push(backoff.nominalMs);
    backoff = backoff.next();
  }
  return waits;
}

Deno.test("Backoff.next() doubles up to the maximum and stays there", () => {
  assertEquals(nominals(new Backoff({ minMs: 100, maxMs: 500 }), 5), [100, 200, 400, 500, 500]);
});

Deno.test("Backoff.next() grows by its own multiplier and keeps every other option", () => {
  const options = { minMs: 10, maxMs: 1000, multiplier: 3, jitter: 0 };
  assertEquals(nominals(new Backoff(options), 4), [10, 30, 90, 270]);
  assertEquals(new Backoff(options).next().next().waitMs(() => 0.9), 90);
});

Deno.test("Backoff.next() leaves the step it was made from as it was; reset() goes back", () => {
  const first = new Backoff({ minMs: 100, maxMs: 500 });
  const second = first.next();
  assertEquals([first.nominalMs, second.nominalMs, second.reset().nominalMs], [100, 200, 100]);
});

Deno.test("Backoff.waitMs() is anything from 0 to the nominal wait with full jitter", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 500 });
  assertEquals([0, 0.5, 0.999].map((r) => backoff.waitMs(() => r)), [0, 50, 99.9]);
});

Deno.test("Backoff.waitMs() gives or takes its jitter, never above the maximum", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 105, jitter: 0.1 });
  assertEquals(Math.round(backoff.waitMs(() => 0)), 90);
  assertEquals(Math.round(backoff.waitMs(() => 0.5)), 100);
  assertEquals(backoff.waitMs(() => 0.999), 105);
});

Deno.test("Backoff.waitMs() takes its chance from Math.random by default", () => {
  const wait = new Backoff({ minMs: 100, maxMs: 500 }).waitMs();
  assert(wait >= 0 && wait < 100);
});

Deno.test("Backoff() allows a wait of 0", () => {
  assertEquals(new Backoff({ minMs: 0, maxMs: 0 }).next().waitMs(), 0);
});

Deno.test("Backoff() refuses options out of range, naming them", () => {
  const bad: [ConstructorParameters<typeof Backoff>[0], string][] = [
    [{ minMs: -1, maxMs: 1 }, "'minMs' must be >= 0: current value is -1"],
    [{ minMs: NaN, maxMs: 1 }, "'minMs'"],
    [{ minMs: 2, maxMs: 1 }, "'maxMs' must be >= 'minMs' (2): current value is 1"],
    [{ minMs: 1, maxMs: NaN }, "'maxMs'"],
    [{ minMs: 1, maxMs: 2, multiplier: 0.5 }, "'multiplier' must be >= 1: current value is 0.5"],
    [{ minMs: 1, maxMs: 2, jitter: 1.1 }, "'jitter' must be between 0 and 1"],
    [{ minMs: 1, maxMs: 2, jitter: -0.1 }, "'jitter' must be between 0 and 1"],
  ];
  for (const [options, message] of bad) {
    assertThrows(() => new Backoff(options), RangeError, message);
  }
});
