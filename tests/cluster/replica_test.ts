import { Replica } from "../../src/cluster/replica.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failure, value } from "./entries.ts";

const FED = [
  { channel: "a", backend: "core", staleAfterMs: 15_000 },
  { channel: "b", backend: "other", staleAfterMs: 15_000 },
];

function bench() {
  const clock = new FakeClock();
  const old: string[] = [];
  const replica = new Replica({ clock, fed: () => FED, onOld: (channel) => old.push(channel) });
  /** What matters of a channel's latest value. */
  const shown = (channel = "a") => {
    const { data, is_stale, age_ms, error } = replica.latest(channel) ?? {};
    return { data, is_stale, age_ms, why: error?.details };
  };
  return { clock, replica, old, shown };
}

const FRESH = { is_stale: false, why: undefined };

Deno.test("Replica ages a value by its own clock, and calls it old when nothing newer comes", async () => {
  const { clock, replica, old, shown } = bench();
  using _replica = replica;
  replica.hear(1, value(7, { status: { is_stale: false, cached_at: 5, age_ms: 40 } }));
  assertEquals(shown(), { ...FRESH, data: "7", age_ms: 40 } as never);
  await clock.advance(10_000);
  assertEquals(shown(), { ...FRESH, data: "7", age_ms: 10_040 } as never);
  assertEquals(old, []);
  await clock.advance(4_960);
  assertEquals(shown().is_stale, true);
  assertEquals([shown().why, old], ["no newer value for 15000 ms", ["a"]]);
});

Deno.test("Replica says of a value once that it is old, and not at all if a newer one came first", async () => {
  const { clock, replica, old } = bench();
  using _replica = replica;
  replica.hear(1, value(1));
  await clock.advance(14_000);
  replica.hear(2, value(2));
  await clock.advance(14_000);
  assertEquals(old, []);
  await clock.advance(60_000);
  assertEquals(old, ["a"]);
  assertEquals(clock.sleeping, 0);
});

Deno.test("Replica tells the age of a value from long ago by the wall clock", async () => {
  const { clock, replica, shown } = bench();
  using _replica = replica;
  await clock.advance(9_000);
  replica.recall(5, value(1));
  assertEquals(shown(), { ...FRESH, data: "1", age_ms: 9_000 } as never);
  replica.recall(
    6,
    value(2, { status: { is_stale: false, cached_at: FakeClock.EPOCH - 60, age_ms: 0 } }),
  );
  assertEquals([shown().data, shown().is_stale], ["2", true] as never);
  replica.recall(
    7,
    value(3, { status: { is_stale: false, cached_at: FakeClock.EPOCH + 99, age_ms: 0 } }),
  );
  assertEquals(shown().age_ms, 0, "another machine's clock is ahead");
});

Deno.test("Replica.recall() brings back nothing older than what is held", () => {
  const { replica, shown } = bench();
  using _replica = replica;
  replica.recall(0, value(1));
  assertEquals(shown().data, "1" as never, "of another life of the stream, but all there is");
  replica.recall(0, value(2));
  assertEquals(shown().data, "1" as never);
  replica.recall(4, value(4));
  replica.recall(3, value(3));
  assertEquals(shown().data, "4" as never);
  replica.renumber();
  replica.recall(1, value(5));
  assertEquals(shown().data, "5" as never, "the numbers of a new life begin anew");
});

Deno.test("Replica doubts a value after a failed poll or an opened breaker, until a newer one comes", () => {
  const { replica, shown } = bench();
  using _replica = replica;
  replica.hear(1, value(1));
  replica.hear(2, value(1, { type: "b" }));
  replica.hear(3, failure("RPC_FAILURE", { channel: "a", backend: "core" }));
  assertEquals([shown().is_stale, shown().why], [true, "it broke"]);
  assertEquals(shown("b").is_stale, false, "another channel");
  replica.hear(4, value(2));
  assertEquals(shown().is_stale, false);
  replica.hear(5, failure("CIRCUIT_OPEN", { backend: "core" }));
  assertEquals([shown().is_stale, shown().why], [true, `backend "core" is not answering`]);
  assertEquals(shown("b").is_stale, false, "another backend's");
  assertEquals([...replica.backendsOut], ["core"]);
  replica.hear(6, failure("RPC_RECOVERED", { backend: "core" }));
  assertEquals([...replica.backendsOut], []);
  assertEquals(shown().is_stale, true, "no value since");
});

Deno.test("Replica doubts no value that was given after the failure it is told of", () => {
  const { replica, shown } = bench();
  using _replica = replica;
  replica.recall(10, value(1));
  replica.recall(8, failure("RPC_FAILURE", { channel: "a", backend: "core" }));
  replica.recall(9, failure("CIRCUIT_OPEN", { backend: "core" }));
  assertEquals(shown().is_stale, false);
  replica.recall(11, failure("CIRCUIT_OPEN", { backend: "core" }));
  assertEquals(shown().is_stale, true, "the value that is kept is older than that");
});

Deno.test("Replica calls nothing current while the stream is out of reach", () => {
  const { replica, shown } = bench();
  using _replica = replica;
  replica.hear(1, value(1));
  replica.unreachable = "the stream is out of reach";
  assertEquals([shown().is_stale, shown().why], [true, "the stream is out of reach"]);
  replica.unreachable = undefined;
  assertEquals(shown().is_stale, false);
});

Deno.test("Replica never calls a stale value fresh, nor what was published from outside old", async () => {
  const { clock, replica, old, shown } = bench();
  using _replica = replica;
  replica.hear(1, value(1, { status: { is_stale: true, cached_at: 5, age_ms: 0 } }));
  assertEquals(shown().is_stale, true);
  replica.hear(2, value(1, { type: "published" }));
  await clock.advance(3_600_000);
  assertEquals(shown("published").is_stale, false);
  assertEquals(old, []);
});

Deno.test("Replica.note() takes what the hub found out alone, and gives way to the stream's next", () => {
  const { replica, shown } = bench();
  using _replica = replica;
  replica.hear(5, value(1));
  replica.note(value(2));
  replica.note(failure("CIRCUIT_OPEN", { backend: "core" }));
  assertEquals([shown().data, shown().is_stale], ["2", true] as never);
  assertEquals([...replica.backendsOut], ["core"]);
  replica.recall(6, value(3));
  assertEquals(shown().data, "3" as never);
});
