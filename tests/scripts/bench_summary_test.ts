import type { Measured } from "../../scripts/bench/compare.ts";
import type { Figures } from "../../scripts/bench/figures.ts";
import { goalsReached } from "../../scripts/bench/goals.ts";
import { sumSendQueues } from "../../scripts/bench/process_memory.ts";
import { faultsOf, sampleOf } from "../../scripts/bench/sample_of.ts";
import { median, percentile } from "../../scripts/bench/statistics.ts";
import { ratioOf, rowsOf } from "../../scripts/bench/summary.ts";
import { growthOf } from "../../scripts/bench/workloads/churn.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

const NO_FAULTS = {
  incomplete: 0,
  skipped: 0,
  repeated: 0,
  unknown: 0,
  altered: 0,
  broken: 0,
  lostClients: 0,
};

const WINDOW = {
  completedAfterUs: [4000, 1000, 3000, 2000],
  messages: 4,
  deliveries: 400,
  conflated: 0,
  faults: NO_FAULTS,
  frames: 100,
  otherFrames: 7,
  bytes: 4096,
  serverCpuUs: 2000,
  loadCpuUs: 250,
  elapsedUs: 1000,
  behindUs: -1,
};

/** A sample of a case `c`. */
function sample(round: number, peer: string, cpuPerDeliveryUs: number | string): Measured {
  return typeof cpuPerDeliveryUs === "string"
    ? { round, case: "c", peer, figures: { cpuPerDeliveryUs: 1 }, faults: [cpuPerDeliveryUs] }
    : { round, case: "c", peer, figures: { cpuPerDeliveryUs }, faults: [] };
}

Deno.test("median() is the middle value, or the mean of both", () => {
  assertEquals(median([]), undefined);
  assertEquals(median([7]), 7);
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([9, 1, 5, 3]), 4);
  assertEquals(median([10, 9, 100]), 10);
});

Deno.test("percentile() is a value that occurred", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(percentile([], 0.5), undefined);
  assertEquals(percentile([3], 0.99), 3);
  assertEquals(percentile(hundred, 0.5), 50);
  assertEquals(percentile(hundred, 0.99), 99);
  assertEquals(percentile(hundred, 1), 100);
  assertEquals(percentile(hundred, 0), 1);
});

Deno.test("sampleOf() makes figures of a window", () => {
  assertEquals(sampleOf(WINDOW), {
    figures: {
      cpuPerDeliveryUs: 5,
      messagesPerFrame: 4,
      p50Ms: 2,
      p99Ms: 4,
      behindMs: 0,
      loadBusy: 25,
    },
    faults: [],
  });
});

Deno.test("sampleOf() calls a window without a delivery failed", () => {
  const { figures, faults } = sampleOf({ ...WINDOW, deliveries: 0, completedAfterUs: [] });
  assertEquals(faults, ["nothing was delivered"]);
  assertEquals(figures.cpuPerDeliveryUs, undefined);
  assertEquals(figures.p99Ms, undefined);
});

Deno.test("faultsOf() has words for every kind of fault", () => {
  assertEquals(faultsOf({ faults: NO_FAULTS }), []);
  for (const name of Object.keys(NO_FAULTS)) {
    const [fault = "", ...more] = faultsOf({ faults: { ...NO_FAULTS, [name]: 3 } });
    assertEquals([fault.startsWith("3 "), more], [true, []], name);
  }
});

Deno.test("rowsOf() takes medians of the runs that did not fail", () => {
  const samples = [
    sample(1, "x", 1),
    sample(2, "x", "lost"),
    sample(3, "x", 3),
    sample(1, "y", "lost"),
    { ...sample(1, "x", 99), case: "other" },
  ];
  assertEquals(rowsOf(samples, "c"), [
    { peer: "x", runs: 3, failures: ["lost"], figures: { cpuPerDeliveryUs: 2 } },
    { peer: "y", runs: 1, failures: ["lost"], figures: {} },
  ]);
});

Deno.test("ratioOf() compares within rounds, not the medians of all", () => {
  const samples = [
    ...[sample(1, "x", 2), sample(1, "y", 1)], // 2
    ...[sample(2, "x", 30), sample(2, "y", 10)], // 3, as the machine was slow
    ...[sample(3, "x", 8), sample(3, "y", 2)], // 4
    ...[sample(4, "x", 1000), sample(4, "y", "lost")], // does not count
  ];
  const query = { case: "c", figure: "cpuPerDeliveryUs", peer: "x" } as const;
  assertEquals(ratioOf(samples, { ...query, against: ["y"] }), 3);
  assertEquals(ratioOf(samples, { ...query, against: ["nobody"] }), undefined);
});

Deno.test("ratioOf() of several others takes the best of each round", () => {
  const samples = [sample(1, "x", 6), sample(1, "y", 3), sample(1, "z", 2)];
  const query = { case: "c", figure: "cpuPerDeliveryUs", peer: "x" } as const;
  assertEquals(ratioOf(samples, { ...query, against: ["y", "z"] }), 3);
});

Deno.test("goalsReached() tells found from wanted, and what was not measured", () => {
  const at = (id: string, peer: string, figures: Figures): Measured => ({
    round: 1,
    case: id,
    peer,
    figures,
    faults: [],
  });
  const goals = goalsReached([
    at("tick/5000", "holdfast", { cpuPerDeliveryUs: 10 }),
    at("tick/5000", "control", { cpuPerDeliveryUs: 10 }),
    at("tick/5000", "ws", { cpuPerDeliveryUs: 11 }),
    at("stop/5000", "holdfast", { closedMs: 1234 }),
  ]);
  const told = goals.filter(({ found }) => found !== undefined)
    .map(({ atMost, found, isReached }) => [atMost, found, isReached]);
  assertEquals(told, [
    ["1.05", "1.00", true],
    ["0.85", "0.91", false],
    ["2000 ms", "1234 ms", true],
  ]);
  assertEquals(goals.filter(({ found, isReached }) => found === undefined && isReached), []);
});

Deno.test("growthOf() compares the last quarter with the second", () => {
  assertEquals(growthOf([0, 0, 50, 50, 60, 60, 50, 50]), 0);
  assertEquals(growthOf([0, 10, 20, 30]), 20);
  assertThrows(() => growthOf([1, 2, 3]), RangeError, "at least 4 readings; there are 3");
});

Deno.test("sumSendQueues() adds up what the sockets of one port could not send", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0",
    "   1: 0100007F:1F90 0200007F:C350 01 00000100:00000000 00:00000000 00000000     0",
    "   2: 0100007F:1F90 0300007F:C351 01 00000010:00000FFF 00:00000000 00000000     0",
    "   3: 0200007F:C350 0100007F:1F90 01 00000FFF:00000000 00:00000000 00000000     0",
  ].join("\n");
  assertEquals(sumSendQueues(table, 8080), 0x110);
  assertEquals(sumSendQueues(table, 8081), 0);
});
