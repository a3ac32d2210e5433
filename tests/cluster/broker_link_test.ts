import { BrokerError } from "../../src/cluster/broker.ts";
import { BrokerLink, NOTICE_AFTER_MS } from "../../src/cluster/broker_link.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeServer } from "./nats/fake_server.ts";

const GRACE_MS = 5000;

/** Longest wait between two attempts, in milliseconds. */
const RETRY_MS = 2000;

class Bench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly server = new FakeServer(this.clock);
  readonly told: string[] = [];
  readonly stop = new AbortController();
  /** Why joining fails; undefined where it does not. */
  trouble: string | undefined;
  readonly link: BrokerLink;
  readonly #running: Promise<void>;

  constructor({ graceMs = GRACE_MS, isDown = false } = {}) {
    this.server.isDown = isDown;
    this.link = new BrokerLink({
      clock: this.clock,
      open: this.server.open,
      graceMs,
      join: () => this.trouble ? Promise.reject(new BrokerError(this.trouble)) : Promise.resolve(),
      onJoined: () => this.told.push("joined"),
      onLost: () => this.told.push("lost"),
      onMissed: (why) => this.told.push(`missed: ${why}`),
      onGivenUp: () => this.told.push("given up"),
    });
    this.#running = this.link.run(this.stop.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.clock.advance(0);
    await this.#running;
    assertEquals(this.clock.sleeping, 0, "somebody still sleeps");
    assertEquals(this.server.brokers.size, 0, "every connection was closed");
  }
}

Deno.test("BrokerLink says nothing of a blink", async () => {
  await using bench = new Bench();
  await bench.clock.advance(0);
  bench.server.crash();
  bench.server.isDown = false;
  await bench.clock.advance(NOTICE_AFTER_MS - 1);
  assertEquals(bench.told, ["joined", "lost", "joined"]);
  await bench.clock.advance(GRACE_MS * 2);
  assertEquals(bench.told.length, 3);
});

Deno.test("BrokerLink tells of an absence after a second, gives up after the grace time, each once", async () => {
  await using bench = new Bench();
  await bench.clock.advance(0);
  assertEquals(bench.link.broker !== undefined, true);
  bench.server.crash();
  await bench.clock.advance(NOTICE_AFTER_MS - 1);
  assertEquals(bench.told, ["joined", "lost"]);
  assertEquals(bench.link.broker, undefined);
  await bench.clock.advance(1);
  assertEquals(bench.told.length, 3);
  await bench.clock.advance(GRACE_MS - NOTICE_AFTER_MS - 1);
  assertEquals(bench.told.length, 3);
  await bench.clock.advance(1);
  assertEquals(bench.told.at(-1), "given up");
  await bench.clock.advance(60_000);
  assertEquals(bench.told.length, 4);
  bench.server.isDown = false;
  await bench.clock.advance(RETRY_MS);
  assertEquals(bench.told.at(-1), "joined");
  bench.server.crash();
  await bench.clock.advance(GRACE_MS);
  assertEquals(bench.told.slice(5).map((each) => each.split(":")[0]), [
    "lost",
    "missed",
    "given up",
  ]);
});

Deno.test("BrokerLink counts the absence of a broker that never was there from the start", async () => {
  await using bench = new Bench({ isDown: true });
  await bench.clock.advance(GRACE_MS);
  assertEquals(bench.told, ["missed: connection refused", "given up"]);
  assertEquals(bench.link.why, "connection refused");
});

Deno.test("BrokerLink does not call a broker joined whose stream cannot be joined", async () => {
  await using bench = new Bench();
  bench.trouble = "the stream could not be read to its end";
  await bench.clock.advance(GRACE_MS);
  assertEquals(bench.told.at(-1), "given up");
  assertEquals(bench.link.why, "the stream could not be read to its end");
  bench.trouble = undefined;
  await bench.clock.advance(RETRY_MS);
  assertEquals(bench.told.at(-1), "joined");
});

Deno.test("BrokerLink with no grace gives up in the moment of the loss", async () => {
  await using bench = new Bench({ graceMs: 0 });
  await bench.clock.advance(0);
  bench.server.crash();
  await bench.clock.advance(0);
  assertEquals(bench.told.at(-1), "given up");
});
