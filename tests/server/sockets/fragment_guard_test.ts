import { FragmentGuard, type WatchOptions } from "../../../src/server/sockets/fragment_guard.ts";
import { addressKey } from "../../../src/platform/socket_address.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const PEER = { hostname: "127.0.0.1", port: 5000 };
const KEY = addressKey(PEER);
const MIB = 1024 * 1024;

/** A guard over one connection whose figures a test makes up. */
class GuardBench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  received = 0;
  unread = 0;
  resident = 100 * MIB;
  ended = 0;
  /** The slices that were asked for. */
  readonly slices: (number | "all")[] = [];
  readonly watched: ReturnType<FragmentGuard["watch"]>;

  /**
   * @param others Connections beside the one under test.
   * @param options What that one carried before it was a WebSocket, if that is known; threads that
   * share the process.
   */
  constructor(
    others = 0,
    { threads, ...options }: WatchOptions & { threads?: number } = { receivedBefore: 0 },
  ) {
    const guard = new FragmentGuard({
      clock: this.clock,
      sockets: {
        received: (slice) => {
          this.slices.push(slice?.nth ?? "all");
          return new Map([[KEY, this.received]]);
        },
        unread: () => new Map([[KEY, this.unread]]),
      },
      maxMessageBytes: 65_536,
      threads,
      residentBytes: () => this.resident,
    });
    this.watched = guard.watch(PEER, { onEndless: () => this.ended += 1 }, options);
    for (let port = 1; port <= others; port++) {
      guard.watch({ hostname: "127.0.0.2", port }, { onEndless() {} });
    }
    this.#running = guard.run(this.#stop.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    assertEquals(this.clock.sleeping, 0);
  }
}

Deno.test("FragmentGuard ends a client that sends and never finishes a message, once", async () => {
  await using bench = new GuardBench();
  for (let second = 0; second < 30; second++) {
    bench.received += 100_000;
    await bench.clock.advance(1000);
  }
  assertEquals(bench.ended, 1);
});

Deno.test("FragmentGuard looks at once when memory grows", async () => {
  await using bench = new GuardBench();
  await bench.clock.advance(6000);
  bench.received += 20 * MIB;
  bench.resident += 20 * MIB;
  await bench.clock.advance(100);
  assertEquals(bench.ended, 1);
});

Deno.test("FragmentGuard lets messages that come through be as many as they are", async () => {
  await using bench = new GuardBench();
  for (let second = 0; second < 60; second++) {
    bench.received += 500_000;
    bench.watched.delivered(490_000);
    await bench.clock.advance(1000);
  }
  assertEquals(bench.ended, 0);
});

Deno.test("FragmentGuard does not blame a client for what the hub has not read yet", async () => {
  await using bench = new GuardBench();
  bench.received = bench.unread = 10 * MIB;
  await bench.clock.advance(30_000);
  assertEquals(bench.ended, 0);
  bench.unread = 0; // read, and still no message
  await bench.clock.advance(11_000);
  assertEquals(bench.ended, 1);
});

Deno.test("FragmentGuard forgets a connection that has ended", async () => {
  await using bench = new GuardBench();
  bench.watched[Symbol.dispose]();
  bench.received = 100 * MIB;
  bench.resident += 100 * MIB;
  await bench.clock.advance(30_000);
  assertEquals(bench.ended, 0);
  assert(bench.clock.now() === 30_000);
});

Deno.test("FragmentGuard looks at a slice at a time in ten seconds, and at all when memory grows", async () => {
  await using bench = new GuardBench();
  await bench.clock.advance(10_000);
  assertEquals(bench.slices, [...new Array(10).keys()], "few clients, large slices");
  bench.resident += 20 * MIB;
  await bench.clock.advance(40);
  assertEquals(bench.slices.filter((slice) => slice === "all").length, 1);
});

Deno.test("FragmentGuard looks at many clients in more slices, from the next round on", async () => {
  await using bench = new GuardBench(4999);
  await bench.clock.advance(22_000);
  assertEquals(bench.slices.slice(10, 110), [...new Array(100).keys()]);
});

for (const threads of [1, 4]) {
  Deno.test(`FragmentGuard takes a rise of memory that many connections explain for no alarm, ${threads} threads`, async () => {
    await using bench = new GuardBench(5000 / threads, { receivedBefore: 0, threads });
    bench.resident += 20 * MIB;
    await bench.clock.advance(40);
    assertEquals(bench.slices.includes("all"), false);
    bench.resident += 20 * MIB;
    await bench.clock.advance(40);
    assertEquals(bench.slices.includes("all"), true);
  });
}

Deno.test("C08: FragmentGuard holds nothing against a client that came before its upgrade", async () => {
  for (const options of [{ receivedBefore: 10 * MIB }, {}]) {
    await using bench = new GuardBench(0, options);
    bench.received = 10 * MIB;
    for (let second = 0; second < 60; second++) {
      bench.received += 100; // a small message now and then
      bench.watched.delivered(90);
      await bench.clock.advance(1000);
    }
    assertEquals(bench.ended, 0);
    for (let second = 0; second < 60; second++) {
      bench.received += 100_000;
      await bench.clock.advance(1000);
    }
    assertEquals(bench.ended, 1);
  }
});

Deno.test("FragmentGuard does not even wake up while there are no clients", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  let looks = 0;
  const guard = new FragmentGuard({
    clock,
    sockets: { received: () => new Map(), unread: () => new Map() },
    maxMessageBytes: 65_536,
    residentBytes: () => {
      looks += 1;
      return 100 * MIB;
    },
  });
  const running = guard.run(stop.signal);
  const atStart = looks;
  await clock.advance(10_000);
  assertEquals([looks, clock.sleeping], [atStart, 0]);
  const watched = guard.watch(PEER, { onEndless() {} });
  await clock.advance(1000);
  assertEquals(looks - atStart, 25, "every 40 ms while memory says nothing");
  watched[Symbol.dispose]();
  await clock.advance(10_000);
  assertEquals(clock.sleeping, 0);
  stop.abort();
  await running;
});

Deno.test("FragmentGuard looks twice as often while memory grows", async () => {
  await using bench = new GuardBench();
  await bench.clock.advance(1000);
  bench.received += 20 * MIB;
  bench.resident += 20 * MIB;
  await bench.clock.advance(40);
  assertEquals(bench.ended, 0, "suspected");
  await bench.clock.advance(20);
  assertEquals(bench.ended, 1);
});
