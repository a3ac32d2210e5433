import { readOptions } from "../../scripts/bench/options.ts";
import { runComparison } from "../../scripts/bench/run_comparison.ts";
import { rowsOf } from "../../scripts/bench/summary.ts";
import { hasProgram } from "../docs/programs.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test({
  name: "a quick comparison of Holdfast, bare Deno and ws delivers everything and tells figures",
  ignore: !hasProgram("cc", "gcc libc6-dev") || !hasProgram("node", "nodejs"),
  async fn() {
    const only = "tick,firehose,four_sources,idle,storm,stop";
    const peers = "holdfast,holdfast_batch,control,ws,floor";
    const args = ["--quick", "--rounds", "1", "--only", only, "--peers", peers];
    const { samples, absent, cases } = await runComparison(readOptions(args));
    assertEquals(absent, []);
    assertEquals(
      samples.flatMap(({ case: id, peer, faults }) => faults.map((why) => [id, peer, why])),
      [],
    );
    assertEquals(cases.map(({ id }) => id), [
      "tick/100",
      "firehose/100",
      "four_sources/100",
      "idle/100",
      "storm/100",
      "stop/100",
    ]);
    const peersOf = (id: string) => rowsOf(samples, id).map(({ peer }) => peer).sort();
    assertEquals(peersOf("tick/100"), ["control", "floor", "holdfast", "ws"]);
    assertEquals(peersOf("firehose/100"), ["control", "floor", "holdfast", "holdfast_batch", "ws"]);
    assertEquals(peersOf("storm/100"), ["control", "holdfast"]);
    assertEquals(peersOf("stop/100"), ["holdfast"]);
    const batched = samples.find(({ case: id, peer }) =>
      id === "four_sources/100" && peer === "holdfast_batch"
    );
    // Values that are due together are of one turn, so that they can share a frame.
    assert((batched?.figures.messagesPerFrame ?? 0) > 2, "four values come together");
    for (const { case: id, peer, figures } of samples) {
      const { cpuPerDeliveryUs, p50Ms, p99Ms, closedMs } = figures;
      if (id.startsWith("stop")) assert((closedMs ?? 0) > 0, "a stop takes some time");
      if (!/^(tick|firehose|four_sources)/.test(id)) continue;
      // Nothing that a slow machine could break: only what cannot be otherwise.
      assert((cpuPerDeliveryUs ?? 0) > 0, `${id} ${peer}: it took processor time`);
      assert((p50Ms ?? 0) > 0 && (p99Ms ?? 0) >= (p50Ms ?? 0), `${id} ${peer}: it took time`);
    }
  },
});
