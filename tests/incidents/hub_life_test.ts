import { hubDown } from "../../src/incidents/hub_life.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("hubDown() says how sure the beginning is, by how the life before ended", () => {
  const of = (end: "clean" | "crash" | "power_loss", now = 100_000) => {
    const { startedMs, endedMs, uncertainMs } = hubDown({ aliveMs: 40_000 }, end, now);
    return [startedMs, endedMs, uncertainMs];
  };
  assertEquals(of("clean"), [40_000, 100_000, undefined]);
  assertEquals(of("crash"), [40_000, 100_000, 1000]);
  assertEquals(of("crash", 40_300), [40_000, 40_300, 300]);
  assertEquals(of("power_loss"), [40_000, 100_000, 60_000]);
  assertEquals(of("clean", 30_000), [30_000, 30_000, undefined]); // the clock was set back
});
