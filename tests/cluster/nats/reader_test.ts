import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { NatsReader } from "../../../src/cluster/nats/reader.ts";
import { assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

type Callback = (message: object) => void;

/** Consumers of a stream, each of which is told of by hand and falls silent when it should. */
class FakeConsumers {
  readonly begins: number[] = [];
  #callback: Callback = () => {};
  #fallSilent = () => {};

  readonly client = {
    consumers: {
      get: (_: string, { opt_start_seq }: { opt_start_seq: number }) => {
        this.begins.push(opt_start_seq);
        const name = `consumer ${this.begins.length}`;
        const consume = ({ callback }: { callback: Callback }) => this.#consume(name, callback);
        return Promise.resolve({ info: () => Promise.resolve({ name }), consume });
      },
    },
  } as unknown as JetStreamClient;

  hand(seq: number, text: string): void {
    const consumer = `consumer ${this.begins.length}`;
    this.#callback({ seq, info: { consumer }, string: () => text });
  }

  async fallSilent(): Promise<void> {
    this.#fallSilent();
    for (let turns = 0; turns < 50; turns++) await Promise.resolve();
  }

  #consume(_name: string, callback: Callback) {
    this.#callback = callback;
    const silent = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<Error | void>();
    this.#fallSilent = silent.resolve;
    return Promise.resolve({
      async *status() {
        await silent.promise;
        yield { type: "heartbeats_missed", count: 2 };
      },
      closed: () => closed.promise,
      stop: (error?: Error) => closed.resolve(error),
    });
  }
}

Deno.test("C61: NatsReader that goes on elsewhere begins with what it read last, and stops where another stands there", async () => {
  const consumers = new FakeConsumers();
  const lost = new AbortController();
  const read: string[] = [];
  const why: string[] = [];
  const reader = new NatsReader({
    clock: new FakeClock(),
    ask: (question) => question(),
    js: consumers.client,
    jsm: {} as JetStreamManager,
    stream: "frames",
    maxPayload: 1024,
    isSame: () => Promise.resolve(true),
    lost: lost.signal,
    lose: (reason) => {
      why.push(reason);
      lost.abort();
    },
  });
  await reader.read(5, ({ seq, text }) => read.push(`${seq} ${text}`));
  consumers.hand(5, "a");
  consumers.hand(6, "b");
  await consumers.fallSilent();
  consumers.hand(6, "b");
  consumers.hand(7, "c");
  await consumers.fallSilent();
  assertEquals([why, read], [[], ["5 a", "6 b", "7 c"]]);
  consumers.hand(7, "of another copy");
  consumers.hand(8, "d");
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  assertEquals(why, ["entry 7 is not the one that was read before"]);
  assertEquals(read, ["5 a", "6 b", "7 c"]);
  assertEquals(consumers.begins, [5, 6, 7]);
});
