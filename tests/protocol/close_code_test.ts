import { CLOSE, type CloseReason } from "../../src/protocol/close_code.ts";
import { assert, assertEquals } from "../support/assert.ts";

const rows = Object.entries(CLOSE) as [string, CloseReason][];

Deno.test("CLOSE has the codes of the contract", () => {
  const codes = Object.fromEntries(rows.map(([name, { code }]) => [name, code]));
  assertEquals(codes.shutdown, 1001);
  assertEquals(codes.badMessages, 1008);
  assertEquals(codes.rateLimited, 1008);
  assertEquals(codes.tooBig, 1009);
  assertEquals(codes.slowClient, 1013);
});

Deno.test("CLOSE gives reasons that fit into a close frame", () => {
  for (const [name, { reason }] of rows) {
    const bytes = new TextEncoder().encode(reason).length;
    assert(bytes > 0 && bytes <= 123, `${name}: ${bytes} bytes`);
  }
});

Deno.test("CLOSE uses only codes an endpoint may send (RFC 6455, 7.4)", () => {
  const notToBeSent = [1004, 1005, 1006, 1015];
  for (const [name, { code }] of rows) {
    assert(code >= 1000 && code < 5000 && !notToBeSent.includes(code), `${name}: ${code}`);
  }
});

Deno.test("CLOSE advises to come back after a shutdown or a slow spell, not after bad manners", () => {
  assertEquals(CLOSE.shutdown.advice, "after_announced_wait");
  assertEquals(CLOSE.slowClient.advice, "with_backoff");
  const policy = rows.filter(([, { code }]) => code === 1008 || code === 1009);
  assert(policy.length >= 3);
  for (const [name, { advice }] of policy) assertEquals(advice, "not_without_a_fix", name);
});
