import type { Case } from "../../scripts/bench/case.ts";
import { compare } from "../../scripts/bench/compare.ts";
import type { Kit, ReadyPeer } from "../../scripts/bench/peer.ts";
import { assertEquals } from "../support/assert.ts";

/** Nothing here starts anything, so nothing is needed. */
const KIT: Kit = {
  native: { load: "", floor: "", compiler: "" },
  cores: { arePinned: false, server: (each) => [...each], load: (each) => [...each] },
  cacheFolder: "",
  folder: "",
};

function peer(name: string): ReadyPeer {
  return {
    name,
    label: name,
    version: "1",
    polls: false,
    manners: () => ({ dialect: "plain", path: "/", publishPath: "/" }),
    start: () => Promise.reject(new Error("not here")),
  };
}

function caseNamed(id: string, more: Partial<Case> = {}): Case {
  return {
    id,
    title: id,
    measure: ({ name }) => Promise.resolve({ figures: { p50Ms: name.length }, faults: [] }),
    ...more,
  };
}

async function order(cases: readonly Case[], peers: readonly string[], rounds: number) {
  const seen: string[] = [];
  await compare(cases, peers.map(peer), {
    kit: KIT,
    rounds,
    signal: new AbortController().signal,
    onSample: ({ round, case: id, peer }) => seen.push(`${round} ${id} ${peer}`),
  });
  return seen;
}

Deno.test("compare() lets peers take turns within a round, another one first in each", async () => {
  assertEquals(await order([caseNamed("a"), caseNamed("b")], ["x", "y"], 2), [
    "1 a x",
    "1 a y",
    "1 b x",
    "1 b y",
    "2 a y",
    "2 a x",
    "2 b y",
    "2 b x",
  ]);
});

Deno.test("compare() keeps to the rounds and the peers that a case is for", async () => {
  const cases = [
    caseNamed("once", { maxRounds: 1 }),
    caseNamed("own", { isFor: (name) => name === "x" }),
  ];
  assertEquals(await order(cases, ["x", "y"], 2), [
    "1 once x",
    "1 once y",
    "1 own x",
    "2 own x",
  ]);
});

Deno.test("compare() asks for batches only where a case wants them", async () => {
  const cases = [caseNamed("plain"), caseNamed("both", { isFor: () => true })];
  assertEquals(await order(cases, ["holdfast", "holdfast_batch"], 1), [
    "1 plain holdfast",
    "1 both holdfast",
    "1 both holdfast_batch",
  ]);
});

Deno.test("compare() goes on after a measurement that failed, and tells why it did", async () => {
  const broken = caseNamed("a", {
    measure: ({ name }) =>
      name === "x"
        ? Promise.reject(new Error("no\n  such   luck"))
        : Promise.resolve({ figures: { p50Ms: 1 }, faults: [] }),
  });
  const { signal } = new AbortController();
  const options = { kit: KIT, rounds: 1, signal, onSample: () => {} };
  assertEquals(await compare([broken], [peer("x"), peer("y")], options), [
    { round: 1, case: "a", peer: "x", figures: {}, faults: ["no such luck"] },
    { round: 1, case: "a", peer: "y", figures: { p50Ms: 1 }, faults: [] },
  ]);
});

Deno.test("compare() ends when it is told to, without the measurement under way", async () => {
  const stop = new AbortController();
  const cases = [
    caseNamed("a"),
    caseNamed("b", {
      measure: () => {
        stop.abort();
        return Promise.resolve({ figures: {}, faults: ["its server was interrupted, too"] });
      },
    }),
    caseNamed("c"),
  ];
  const options = { kit: KIT, rounds: 9, signal: stop.signal, onSample: () => {} };
  const samples = await compare(cases, [peer("x")], options);
  assertEquals(samples.map(({ case: id, peer }) => [id, peer]), [["a", "x"]]);
});
