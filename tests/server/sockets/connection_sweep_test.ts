import { ConnectionSweep } from "../../../src/server/sockets/connection_sweep.ts";
import { ConnectionTable } from "../../../src/server/sockets/connection_table.ts";
import { DescriptorReserve } from "../../../src/server/sockets/descriptor_reserve.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const TIMEOUT_MS = 10_000;

/** A sweep over connections that a test makes up: each is a key, and is gone once ended. */
function bench({ maxPending = 1000, descriptors = () => ({}) }: {
  maxPending?: number;
  descriptors?: () => { open?: number; max?: number };
} = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const open: string[] = [];
  const slices = new Set<string>();
  const table = new ConnectionTable({ clock, requestTimeoutMs: TIMEOUT_MS });
  const reserve = new DescriptorReserve(descriptors());
  const end = (key: string) => open.splice(open.indexOf(key), 1);
  const sweep = new ConnectionSweep({
    clock,
    table,
    reserve,
    maxPending,
    requestTimeoutMs: TIMEOUT_MS,
    sockets: {
      sweep(visit, { nth, of }) {
        slices.add(`${nth}/${of}`);
        for (const key of [...open]) {
          if (Number(key.split(":")[1]) % of !== nth) continue;
          if (visit(key, { receivedBytes: 0, ackedBytes: 0 }) !== "keep") end(key);
        }
      },
      abortAll(keys) {
        const ended = open.filter((key) => keys.has(key));
        ended.forEach(end);
        return ended.length;
      },
      descriptors,
    },
  });
  const running = sweep.run(stop.signal);
  return {
    clock,
    open,
    slices,
    sweep,
    reserve,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      reserve[Symbol.dispose]();
      assertEquals(clock.sleeping, 0);
    },
  };
}

Deno.test("C03: ConnectionSweep ends idle connections in their time, slice by slice", async () => {
  await using it = bench();
  for (let n = 0; n < 100; n++) it.open.push(`127.0.0.1:${1000 + n}`);
  await it.clock.advance(TIMEOUT_MS);
  assertEquals(it.open.length, 100);
  await it.clock.advance(TIMEOUT_MS);
  assertEquals([it.open.length, it.sweep.ended().get("timeout")], [0, 100]);
  assertEquals(it.slices.size, 25, "a part of them at a time");
});

Deno.test("C03: ConnectionSweep bounds how many connections are no client's, the oldest go first", async () => {
  await using it = bench({ maxPending: 10 });
  for (let n = 0; n < 30; n++) {
    it.open.push(`127.0.0.1:${1000 + n}`);
    await it.clock.advance(100);
  }
  await it.clock.advance(3000);
  assert(it.open.length <= 10, it.open.join(" "));
  assert(it.open.includes("127.0.0.1:1029"));
  assert((it.sweep.ended().get("full") ?? 0) >= 20);
});

Deno.test("C02: ConnectionSweep ends connections nobody uses when descriptors run short", async () => {
  let others = 60;
  const state = { open: [] as string[] };
  const it = bench({ descriptors: () => ({ open: others + state.open.length, max: 100 }) });
  await using _it = it;
  state.open = it.open;
  for (let n = 0; n < 20; n++) it.open.push(`127.0.0.1:${1000 + n}`);
  await it.clock.advance(1000);
  assertEquals([it.open.length, it.reserve.isShort], [20, false]);
  others = 75;
  await it.clock.advance(1000);
  assert(it.open.length < 10 && it.sweep.ended().get("descriptors") === 20 - it.open.length);
  others = 40;
  await it.clock.advance(1000);
  assertEquals(it.reserve.isShort, false, "somebody may be let in again");
});
