import { adviceOn, copiesMayDiffer } from "../../../src/cluster/nats/server_version.ts";
import { assert, assertEquals } from "../../support/assert.ts";

Deno.test("C61: adviceOn() speaks against servers before 2.9, and before 2.10 where there are several", () => {
  const advice = (version: string, isClustered: boolean) => adviceOn({ version, isClustered });
  assert(advice("2.8.4", false)?.includes("2.9"));
  assertEquals(advice("2.9.10", false), undefined);
  assert(advice("2.9.25", true)?.includes("2.10"));
  assertEquals([advice("2.10.0", true), advice("2.11.4", true), advice("3.0.0", true)], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("C61: copiesMayDiffer() is so of several servers before 2.10", () => {
  const isSo = (version: string, isClustered: boolean) => copiesMayDiffer({ version, isClustered });
  assertEquals([isSo("2.9.10", true), isSo("2.8.4", true)], [true, true]);
  assertEquals([isSo("2.9.10", false), isSo("2.10.0", true), isSo("3.0.0", true)], [
    false,
    false,
    false,
  ]);
});
