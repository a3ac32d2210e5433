import { decodeEntry, encodeEntry } from "../../src/cluster/entry.ts";
import { Replica } from "../../src/cluster/replica.ts";
import { type ErrorCode, errorEvent } from "../../src/protocol/error_event.ts";
import { momentOf } from "../../src/resilience/clock.ts";
import type { ChannelSettings } from "../../src/values/channel_settings.ts";
import { STANDSTILL_MS, ValueStore } from "../../src/values/value_store.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { text } from "../support/hub_bench.ts";
import { failure, value } from "./entries.ts";

const EPOCH_MS = FakeClock.EPOCH * 1000;

function bench() {
  const clock = new FakeClock();
  const old: string[] = [];
  const values = new ValueStore({ clock });
  values.configure(
    new Map<string, ChannelSettings>([
      ["a", { feeder: { kind: "backend", backend: "core" }, staleAfterMs: 15_000 }],
      ["b", { feeder: { kind: "backend", backend: "other" }, staleAfterMs: 15_000 }],
      ["published", { feeder: { kind: "publisher" }, staleAfterMs: Infinity }],
    ]),
  );
  values.subscribe({
    onStanding: ({ channel, cause }) => cause === "time" && old.push(channel),
  });
  const replica = new Replica({
    clock,
    values,
    isKnown: (channel) => ["a", "b", "published"].includes(channel),
    isOwn: ({ hub }) => hub === "this one",
  });
  /** What matters of a channel's latest value. */
  const shown = (channel = "a") => {
    const { data, is_stale, age_ms, error } = values.read(channel) ?? {};
    return { data, is_stale, age_ms, why: error?.details };
  };
  return { clock, values, replica, old, shown };
}

const FRESH = { is_stale: false, why: undefined };

Deno.test("Replica: a value ages by this hub's clock, and grows old when nothing newer comes", async () => {
  const { clock, values, replica, old, shown } = bench();
  const status = { is_stale: false, cached_at: FakeClock.EPOCH, age_ms: 40 };
  replica.hear(1, value(7, { status, called_ms: EPOCH_MS - 40 }));
  assertEquals(shown(), { ...FRESH, data: "7", age_ms: 40 } as never);
  await clock.advance(10_000);
  assertEquals(shown(), { ...FRESH, data: "7", age_ms: 10_040 } as never);
  values.look();
  assertEquals(old, []);
  await clock.advance(4_960);
  values.look();
  assertEquals([shown().why, old], ["no newer value for 15000 ms", ["a"]]);
});

Deno.test("C43: Replica tells a value's age by the wall clock where that makes it older", async () => {
  const { clock, replica, shown } = bench();
  await clock.advance(9_000);
  replica.hear(5, value(1));
  assertEquals(shown(), { ...FRESH, data: "1", age_ms: 9_000 } as never, "an older version's");
  const status = { is_stale: false, cached_at: FakeClock.EPOCH, age_ms: 0 };
  replica.hear(6, value(2, { status, called_ms: EPOCH_MS + 500 }));
  assertEquals(shown(), { ...FRESH, data: "2", age_ms: 8_500 } as never);
  replica.hear(7, value(3, { status, called_ms: EPOCH_MS - 60_000 }));
  assertEquals([shown().data, shown().is_stale], ["3", true] as never);
  replica.hear(8, value(4, { status: { ...status, age_ms: 70 }, called_ms: EPOCH_MS + 99_000 }));
  assertEquals(shown().age_ms, 70, "another machine's clock is ahead");
});

Deno.test("C43: Replica: a backlog read after a standstill is in doubt until something newer comes", async () => {
  const { clock, values, replica, shown } = bench();
  const polledAt = (ms: number) =>
    value(ms, {
      status: { is_stale: false, cached_at: FakeClock.EPOCH + Math.floor(ms / 1000), age_ms: 0 },
      called_ms: EPOCH_MS + ms,
    });
  values.look();
  replica.hear(1, polledAt(0));
  await clock.jump(STANDSTILL_MS + 5000);
  for (const [at, ms] of [2500, 5000, 7500].entries()) replica.hear(2 + at, polledAt(ms));
  assertEquals([shown().data, shown().is_stale, shown().age_ms], ["7500", true, 2500] as never);
  await clock.advance(1000);
  replica.hear(9, polledAt(11_000));
  assertEquals(shown(), { ...FRESH, data: "11000", age_ms: 0 } as never);
});

Deno.test("Replica brings back nothing older than what is held", () => {
  const { replica, shown } = bench();
  replica.hear(0, value(1));
  assertEquals(shown().data, "1" as never, "of another life of the stream, but all there is");
  replica.hear(0, value(2));
  assertEquals(shown().data, "1" as never);
  replica.hear(4, value(4));
  replica.hear(3, value(3));
  assertEquals(shown().data, "4" as never);
  replica.renumber();
  replica.hear(1, value(5));
  assertEquals(shown().data, "5" as never, "the numbers of a new life begin anew");
});

Deno.test("C15: Replica: what this hub found out or was told alone is not undone by what is older", async () => {
  const { clock, values, replica, shown } = bench();
  const before = momentOf(clock);
  const called = ({ unixMs }: { unixMs: number }) => ({
    type: "published",
    called_ms: unixMs,
    status: { is_stale: false, cached_at: Math.floor(unixMs / 1000), age_ms: 0 },
  });
  await clock.advance(10_000);
  const calledAt = momentOf(clock);
  values.put("published", { text: text("NEW"), calledAt, origin: "publisher" });
  await clock.advance(5000);
  replica.hear(3, value(0, { ...called(before), data: text("OLD") }));
  assertEquals(shown("published").data, `"NEW"` as never);
  // It goes into the stream late, and what another hub said late is older still.
  replica.hear(7, value(0, { ...called(calledAt), data: text("NEW"), said: "1" }));
  replica.hear(8, value(0, { ...called(before), data: text("OLD"), said: "2" }));
  assertEquals(shown("published").data, `"NEW"` as never);
  replica.hear(9, value(0, { ...called(momentOf(clock)), data: text("NEWER") }));
  assertEquals(shown("published").data, `"NEWER"` as never);
});

Deno.test("Replica doubts a value after a failed poll or an opened breaker, until a newer one comes", () => {
  const { replica, shown } = bench();
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
  replica.hear(10, value(1));
  replica.hear(8, failure("RPC_FAILURE", { channel: "a", backend: "core" }));
  replica.hear(9, failure("CIRCUIT_OPEN", { backend: "core" }));
  assertEquals(shown().is_stale, false);
  replica.hear(11, failure("CIRCUIT_OPEN", { backend: "core" }));
  assertEquals(shown().is_stale, true);
});

Deno.test("C51: Replica doubts a value that was followed by one that could not be shared", () => {
  const { replica, shown } = bench();
  replica.hear(1, value(1));
  replica.hear(2, failure("JSON_MARSHAL_ERROR", { channel: "a" }));
  assertEquals([shown().is_stale, shown().why], [true, "it broke"]);
});

Deno.test("Replica leaves to this hub's polls what they have seen to themselves", () => {
  const { values, clock, replica, shown } = bench();
  const own = { hub: "this one" };
  values.put("a", { text: text(2), calledAt: momentOf(clock), origin: "poll" });
  replica.hear(3, failure("RPC_FAILURE", { channel: "a", backend: "core" }, own));
  replica.hear(4, failure("CIRCUIT_OPEN", { backend: "core" }, own));
  assertEquals(shown().is_stale, false, "it polled well since, which stands later in the stream");
  assertEquals([...replica.backendsOut], ["core"]);
});

Deno.test("Replica never calls a stale value fresh, nor what was published from outside old", async () => {
  const { clock, values, replica, old, shown } = bench();
  replica.hear(1, value(1, { status: { is_stale: true, cached_at: FakeClock.EPOCH, age_ms: 0 } }));
  assertEquals(shown().is_stale, true);
  replica.hear(2, value(1, { type: "published" }));
  await clock.advance(3_600_000);
  values.look();
  assertEquals(shown("published").is_stale, false);
  assertEquals(old, []);
});

Deno.test("Replica gives the reason that came with a stale value", () => {
  const { replica, shown } = bench();
  const error = errorEvent("RPC_UNAVAILABLE", "of a test", { timestamp: 5, details: "refused" });
  const status = { is_stale: true, cached_at: FakeClock.EPOCH, age_ms: 0, error };
  replica.hear(1, value(1, { status }));
  assertEquals(shown().why, "refused");
});

Deno.test("Replica: a published value grows old by this hub's own clock and configuration", async () => {
  const { clock, replica, shown } = bench();
  replica.hear(1, value(1, { type: "published", called_ms: EPOCH_MS, valid_for_ms: 5000 }));
  await clock.advance(4999);
  assertEquals(shown("published").is_stale, false);
  await clock.advance(1);
  assertEquals(shown("published").why, "its publisher said that it was valid for 5000 ms");
});

Deno.test("C50: Replica passes over channels that this hub does not have", () => {
  const { values, replica } = bench();
  replica.hear(1, value(1, { type: "removed" }));
  replica.hear(2, failure("RPC_FAILURE", { channel: "removed" }));
  assertEquals([values.read("removed"), values.doubtOf("removed")], [undefined, undefined]);
});

Deno.test("Replica.note() remembers which backends are out while the hub is alone", () => {
  const { replica } = bench();
  const note = (code: ErrorCode) =>
    replica.note(errorEvent(code, "of a test", { timestamp: 5, data: { backend: "core" } }));
  note("CIRCUIT_OPEN");
  assertEquals([...replica.backendsOut], ["core"]);
  note("RPC_RECOVERED");
  assertEquals([...replica.backendsOut], []);
});

Deno.test("entries carry when a value was asked for; those of versions that do not are understood", () => {
  const entry = value(1, { called_ms: 1_764_000_000_123, valid_for_ms: 5000 });
  const read = decodeEntry(encodeEntry(entry));
  assertEquals(read, entry);
  // As the version before wrote it.
  const before =
    `{"form":1,"kind":"broadcast","epoch":"e","term":1,"after":0,"hub":"one","type":"a","timestamp":5,"status":{"is_stale":false,"cached_at":5,"age_ms":0}}\n1`;
  const old = decodeEntry(before);
  assert(old?.kind === "broadcast");
  assertEquals([old.data, old.called_ms, old.status?.cached_at], ["1", undefined, 5] as never);
});
