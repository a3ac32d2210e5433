import { assertEquals, assertThrows } from "../support/assert.ts";
import { hubAddress } from "../../src/client/address.ts";
import { resolveOptions } from "../../src/client/options.ts";

Deno.test("hubAddress() takes either scheme, with or without /ws, below a path too", () => {
  for (const url of ["http://h:1", "ws://h:1/", "http://h:1/ws", "ws://h:1/ws/"]) {
    assertEquals(hubAddress(url), {
      socket: "ws://h:1/ws",
      door: "http://h:1/ws",
      snapshot: "http://h:1/snapshot",
    });
  }
  assertEquals(hubAddress("https://h/hub/").socket, "wss://h/hub/ws");
});

Deno.test("hubAddress() refuses what it cannot use, without quoting secrets", () => {
  assertThrows(() => hubAddress("not a url"), RangeError, "cannot be parsed");
  assertThrows(() => hubAddress("ftp://h"), RangeError, '"ftp:"');
  const error = assertThrows(() => hubAddress("http://me:hush@h"), RangeError, "credentials");
  assertEquals(error.message.includes("hush"), false);
  const other = assertThrows(() => hubAddress("http://h/ws?token=hush"), RangeError, "'token'");
  assertEquals(other.message.includes("hush"), false);
});

Deno.test("resolveOptions() names what is out of range", () => {
  assertThrows(() => resolveOptions({ openTimeoutMs: 0 }), RangeError, "'openTimeoutMs'");
  assertThrows(() => resolveOptions({ backoff: { minMs: 2, maxMs: 1 } }), RangeError, "'maxMs'");
});
