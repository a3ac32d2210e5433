import fc from "fast-check";
import foreign from "fast-json-patch";
import type { ConnectOptions } from "../../../src/hub/connects.ts";
import type { JsonText } from "../../../src/protocol/codec.ts";
import type { StatusData } from "../../../src/protocol/status_data.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import type { FakeTransport } from "../../support/fake_transport.ts";
import { HubBench, type TestClient, text } from "../../support/hub_bench.ts";

type Data = Record<string, unknown>;

function statusOf(data: unknown, changes: Partial<StatusData<JsonText>> = {}) {
  return { data: text(data), is_stale: false, cached_at: 5, age_ms: 0, ...changes };
}

/** A value of which little changes. */
function sample(n: number, more: object = {}): object {
  return { n, host: "a name that stays", list: [1, 2, 3], rest: "x".repeat(60), ...more };
}

/** Says a value to everybody, and has it handed over to whoever comes. */
function say(bench: HubBench, channel: string, status: StatusData<JsonText>): void {
  bench.values.set(channel, status);
  bench.hub.value(channel, status);
}

/** The data of a client's status frames, each in short. */
function forms({ transport }: TestClient): string[] {
  return transport.frames.filter(({ type }) => type === "a" || type === "b").map(
    ({ type, data }) => {
      const { rev, same, base, patch } = data as Data;
      if (same !== undefined) return `${type}${rev} same`;
      return patch === undefined ? `${type}${rev} whole` : `${type}${rev} from ${base}`;
    },
  );
}

Deno.test("delta=1: the first value whole, then what changed, then that nothing did", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ delta: true, channels: ["a"] });
  const plain = bench.connect({ channels: ["a"] });
  say(bench, "a", statusOf(sample(1)));
  say(bench, "a", statusOf(sample(2)));
  say(bench, "a", statusOf(sample(2), { is_stale: true, age_ms: 7 }));
  say(bench, "a", statusOf(sample(3)));
  say(bench, "a", statusOf({ another: "thing" }));
  assertEquals(forms(client), ["a1 whole", "a2 from 1", "a2 same", "a3 from 2", "a4 whole"]);
  const [, , second, third] = client.transport.frames;
  assertEquals(second?.data, {
    rev: 2,
    base: 1,
    patch: [{ op: "replace", path: "/n", value: 2 }],
    is_stale: false,
    cached_at: 5,
    age_ms: 0,
  });
  assertEquals(third?.data, { rev: 2, same: true, is_stale: true, cached_at: 5, age_ms: 7 });
  assert(plain.transport.frames.every(({ data }) => data.rev === undefined));
});

Deno.test("delta=1: who missed a revision, subscribes anew or comes later gets the whole value", async () => {
  await using bench = new HubBench();
  const first = bench.connect({ delta: true, channels: ["a"] });
  say(bench, "a", statusOf(sample(1)));
  const slow = bench.connect({ delta: true, channels: ["a"] });
  slow.transport.isStalled = true;
  slow.transport.bufferedBytes = 1_000_000;
  say(bench, "a", statusOf(sample(2)));
  say(bench, "a", statusOf(sample(3)));
  await bench.release(slow);
  assertEquals(forms(slow), ["a1 whole", "a3 whole"]);
  say(bench, "a", statusOf(sample(4)));
  assertEquals(forms(slow).slice(2), ["a4 from 3"]);
  const later = bench.connect({ delta: true, channels: ["a"] });
  assertEquals(forms(later), ["a4 whole"]);
  const wish = (type: string) =>
    first.session.receive(JSON.stringify({ type, channels: ["a"] }), bench.clock.now());
  wish("unsubscribe");
  wish("subscribe");
  assertEquals(forms(first), ["a1 whole", "a2 from 1", "a3 from 2", "a4 from 3", "a4 whole"]);
});

Deno.test("delta=1: no number ever means two values, though nobody listened in between", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ delta: true, channels: ["a", "b"] });
  const wish = (type: string) =>
    client.session.receive(JSON.stringify({ type, channels: ["a"] }), bench.clock.now());
  say(bench, "a", statusOf(sample(1)));
  wish("unsubscribe");
  say(bench, "a", statusOf(sample(2)));
  say(bench, "a", statusOf(sample(3)));
  client.transport.isStalled = true;
  client.transport.bufferedBytes = 1_000_000;
  wish("subscribe");
  say(bench, "a", statusOf(sample(4))); // takes the place of the one that waits
  await bench.release(client);
  assertEquals(forms(client), ["a1 whole", "a3 whole"]);
});

Deno.test("delta=1: a value that waits when the numbering changes loses its number, in each form", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ delta: true, channels: ["a"] });
  say(bench, "a", statusOf(sample(1)));
  client.transport.isStalled = true;
  client.transport.bufferedBytes = 1_000_000;
  say(bench, "a", statusOf(sample(2)));
  bench.hub.stream.follow({ epoch: "next", seq: 7 }, { startsAfter: 0, hasGap: false });
  await bench.release(client);
  const frames = client.transport.frames.slice(1);
  assertEquals(frames.map(({ type, seq }) => `${type} ${seq}`), [
    "a 1",
    "welcome undefined",
    "a undefined",
  ]);
  bench.hub.stream.relay({
    type: "a",
    data: text(null),
    status: statusOf(sample(3)),
    timestamp: 5,
    seq: 8,
  });
  assertEquals(forms(client), ["a1 whole", "a2 whole", "a3 from 2"]);
});

/** Puts values together as somebody would who read the contract, with another library. */
class Reader {
  /** By sequence number, the text of the value and all else of the frame's data. */
  readonly told = new Map<number, string>();
  readonly #had = new Map<string, { rev: unknown; value: unknown }>();
  patches = 0;

  constructor(transport: FakeTransport) {
    for (const { type, seq, data } of transport.frames) {
      if (type !== "a" && type !== "b") continue;
      const { rev, same, base, patch, ...rest } = data as Data;
      let value = rest.data;
      const had = this.#had.get(type);
      if (same === true) value = had?.value;
      if (patch !== undefined) {
        assertEquals(had?.rev, base, "a patch for another revision");
        value = foreign.applyPatch(structuredClone(had?.value), patch as never, true).newDocument;
        this.patches += 1;
      }
      if (rev !== undefined) this.#had.set(type, { rev, value });
      if (seq !== undefined) {
        this.told.set(seq, JSON.stringify({ ...rest, data: undefined, value }));
      }
    }
  }
}

type Step =
  | {
    readonly do: "say";
    readonly channel: string;
    readonly value: object;
    readonly isStale: boolean;
  }
  | { readonly do: "stall" | "flow" | "unsubscribe" | "subscribe" }
  | { readonly do: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("say" as const),
      channel: fc.constantFrom("a", "b"),
      isStale: fc.boolean(),
      value: fc.record({ n: fc.nat({ max: 3 }), more: fc.option(fc.jsonValue({ maxDepth: 2 })) })
        .map(({ n, more }) => sample(n, more === null ? {} : { more })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("stall", "flow", "unsubscribe", "subscribe"),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 60 }) }),
  },
);

Deno.test("delta=1: what a client puts together is what it would have had, batched, slow or not", async () => {
  let patches = 0;
  const run = async (plan: readonly Step[], options: ConnectOptions) => {
    await using bench = new HubBench({ highWaterBytes: 600 });
    const witness = bench.connect();
    const client = bench.connect({ ...options, delta: true });
    for (const each of plan) {
      const { transport, session } = client;
      if (each.do === "say") {
        say(bench, each.channel, statusOf(each.value, { is_stale: each.isStale }));
      } else if (each.do === "stall") transport.isStalled = true;
      else if (each.do === "wait") await bench.clock.advance(each.ms);
      else if (each.do === "flow") {
        transport.isStalled = false;
        transport.take();
      } else session.receive(JSON.stringify({ type: each.do, channels: ["a"] }), bench.clock.now());
    }
    await bench.release(client);
    await bench.clock.advance(200);
    const plain = new Reader(witness.transport);
    const reader = new Reader(client.transport);
    for (const [seq, told] of reader.told) assertEquals(told, plain.told.get(seq));
    patches += reader.patches;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (plan, batch) => {
      await run(plan, { batch });
    }),
    { numRuns: 200 },
  );
  assert(patches > 100, `only ${patches} patches`);
});
