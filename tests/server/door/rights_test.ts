import { readerOf } from "../../../src/server/door/rights.ts";
import { assert, assertEquals, assertFalse } from "../../support/assert.ts";

Deno.test("readerOf() reads names, patterns and all", () => {
  const { mayRead, readsAll } = readerOf(["system_status", "agent_*", "*_x", "a*b*c"]);
  assertFalse(readsAll);
  for (const channel of ["system_status", "agent_", "agent_1", "a_x", "_x", "abc", "a1b2b3c"]) {
    assert(mayRead(channel), channel);
  }
  for (const channel of ["system_statu", "system_status2", "agent", "xagent_1", "x", "ab", "acb"]) {
    assertFalse(mayRead(channel), channel);
  }
  assert(readerOf(["a", "*"]).readsAll && readerOf(["a", "*"]).mayRead("anything"));
  assertFalse(readerOf([]).mayRead("a"));
  assertFalse(readerOf(["a*a"]).mayRead("a"), "the two ends are two");
});

Deno.test("readerOf() is quick with any pattern", () => {
  const { mayRead } = readerOf([`${"a*".repeat(30)}b`]);
  const startedAt = performance.now();
  assertEquals(mayRead("a".repeat(64)), false);
  assert(performance.now() - startedAt < 1000);
});
