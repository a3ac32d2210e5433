import type { Appended } from "../../src/cluster/broker.ts";
import { decodeEntry } from "../../src/cluster/entry.ts";
import {
  type Draft,
  MAX_WAITING,
  type WriteGrant,
  Writer,
} from "../../src/cluster/stream_writer.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { text } from "../support/hub_bench.ts";
import { EPOCH, failure, value } from "./entries.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { FakeServer } from "./nats/fake_server.ts";

class Bench {
  readonly clock = new FakeClock();
  readonly server = new FakeServer(this.clock);
  readonly broker: FakeBroker = this.server.connect();
  readonly writer = new Writer(this.clock);
  readonly stored: number[] = [];
  readonly tooLarge: string[] = [];
  isValid = true;
  fenced = 0;

  /** Claims for this hub and takes the pen for it. */
  lead(term = 1): void {
    const fence = this.claim("one", term);
    this.writer.take(
      {
        epoch: EPOCH,
        term,
        hub: "one",
        fence,
        isValid: () => this.isValid,
        append: (text, options) => this.broker.append(text, options),
        everyMs: 4000,
        onFenced: () => this.fenced += 1,
        onStored: (_entry, seq) => this.stored.push(seq),
        onTooLarge: ({ type }) => this.tooLarge.push(type),
      } satisfies WriteGrant,
    );
  }

  /** Writes a claim as some hub; its number. */
  claim(hub: string, term: number): number {
    const fence = this.server.newestOfLeaders?.seq ?? 0;
    const entry = `${
      JSON.stringify({ form: 1, kind: "claim", epoch: EPOCH, term, after: fence, hub })
    }\n`;
    const claimed: Appended = this.server.store(entry, {
      as: "leader",
      id: crypto.randomUUID(),
      fence,
    });
    return claimed.kind === "stored" ? claimed.seq : 0;
  }

  /** What stands in the stream, in short. */
  get said(): string[] {
    return this.server.entries.map(({ text }) => {
      const entry = decodeEntry(text);
      if (entry === undefined) return "?";
      return entry.kind === "broadcast"
        ? `${entry.type} ${entry.data}`
        : `${entry.kind} ${entry.hub}`;
    });
  }
}

function draft(n: number, changes: Partial<Draft> = {}): Draft {
  const { type, timestamp, data, status } = value(n);
  return { type, timestamp, data, ...(status ? { status } : {}), ...changes };
}

function error(n: number): Draft {
  const { type, timestamp, code } = failure("RPC_FAILURE", {});
  return { type, timestamp, data: text({ n }), ...(code ? { code } : {}) };
}

Deno.test("Writer writes in order, each word over the one before", async () => {
  const bench = new Bench();
  bench.lead();
  for (let n = 1; n <= 3; n++) bench.writer.push(error(n));
  await bench.clock.advance(0);
  assertEquals(bench.said, ["claim one", ...[1, 2, 3].map((n) => `rpc_error {"n":${n}}`)]);
  assertEquals(bench.stored, [2, 3, 4]);
  const line = bench.server.entries.map(({ text }) => decodeEntry(text)?.after);
  assertEquals(line, [0, 1, 2, 3]);
});

Deno.test("Writer keeps what is said before it has a pen, of values the newest, errors all", async () => {
  const bench = new Bench();
  bench.writer.push(draft(1));
  bench.writer.push(error(2));
  bench.writer.push(draft(3, { type: "b" }));
  bench.writer.push(draft(4));
  assertEquals(bench.writer.size, 3);
  bench.lead();
  await bench.clock.advance(0);
  assertEquals([...bench.said].sort(), ["a 4", "b 3", "claim one", `rpc_error {"n":2}`]);
  assertEquals(bench.writer.size, 0);
});

Deno.test("Writer stores once what was stored although nobody said so", async () => {
  const bench = new Bench();
  bench.lead();
  bench.broker.isAmbiguous = true;
  bench.writer.push(error(1));
  bench.writer.push(error(2));
  await bench.clock.advance(1000);
  assertEquals(bench.said, ["claim one", `rpc_error {"n":1}`], "offered again, stored once");
  bench.broker.isAmbiguous = false;
  await bench.clock.advance(1000);
  assertEquals(bench.said, ["claim one", `rpc_error {"n":1}`, `rpc_error {"n":2}`]);
  assertEquals(bench.fenced, 0);
});

Deno.test("Writer stops at the first word that another leader's claim stands before", async () => {
  const bench = new Bench();
  bench.lead();
  bench.writer.push(error(1));
  await bench.clock.advance(0);
  bench.claim("two", 2);
  bench.writer.push(error(2));
  bench.writer.push(error(3));
  await bench.clock.advance(10_000);
  assertEquals(bench.said, ["claim one", `rpc_error {"n":1}`, "claim two"]);
  assertEquals(bench.fenced, 1);
});

Deno.test("Writer offers nothing once the lease may be another's", async () => {
  const bench = new Bench();
  bench.lead();
  await bench.clock.advance(0);
  const { appends } = bench.broker;
  bench.isValid = false;
  bench.writer.push(error(1));
  await bench.clock.advance(1000);
  assertEquals([bench.broker.appends, bench.fenced], [appends, 1]);
});

Deno.test("Writer goes on with a new pen where it stood, in a stream made anew even", async () => {
  const bench = new Bench();
  bench.lead();
  for (let n = 1; n <= 5; n++) bench.writer.push(error(n));
  await bench.clock.advance(0);
  bench.broker.isUnanswered = true;
  bench.writer.push(error(6));
  await bench.clock.advance(10);
  bench.server.wipe();
  bench.broker.isUnanswered = false;
  bench.lead(2);
  bench.writer.push(error(7));
  await bench.clock.advance(1000);
  assertEquals(bench.said, ["claim one", `rpc_error {"n":6}`, `rpc_error {"n":7}`]);
  assertEquals(bench.fenced, 0);
});

Deno.test("Writer passes over what the broker does not take for its size", async () => {
  const bench = new Bench();
  bench.server.maxBytes = 500;
  bench.lead();
  bench.writer.push(draft(1, { data: text("x".repeat(600)) }));
  bench.writer.push(error(2));
  await bench.clock.advance(0);
  assertEquals([bench.tooLarge, bench.said], [["a"], ["claim one", `rpc_error {"n":2}`]]);
});

Deno.test("Writer holds no more than its bound, and drops the oldest word that no newer one replaces", () => {
  const bench = new Bench();
  bench.writer.push(draft(0));
  for (let n = 1; n <= MAX_WAITING + 10; n++) bench.writer.push(error(n));
  assertEquals(bench.writer.size, MAX_WAITING);
});

Deno.test("Writer repeats its claim when it has nothing to say, and only then", async () => {
  const bench = new Bench();
  bench.lead();
  bench.writer.refresh();
  await bench.clock.advance(1_900);
  bench.writer.push(error(1));
  await bench.clock.advance(1_000);
  bench.writer.refresh();
  await bench.clock.advance(0);
  assertEquals(bench.said, ["claim one", `rpc_error {"n":1}`]);
  await bench.clock.advance(2_000);
  bench.writer.refresh();
  await bench.clock.advance(0);
  assertEquals(bench.said, ["claim one", `rpc_error {"n":1}`, "claim one"]);
  bench.writer.refresh({ isAsked: true });
  await bench.clock.advance(0);
  assertEquals(bench.said.length, 4, "a hub that comes gets a word at once");
});

Deno.test("Writer.clear() forgets what it had not said", async () => {
  const bench = new Bench();
  bench.writer.push(error(1));
  bench.writer.putDown();
  bench.writer.clear();
  bench.lead();
  await bench.clock.advance(0);
  assertEquals([bench.said, bench.writer.size], [["claim one"], 0]);
});
