import { parseClientAddress } from "../../../src/server/door/client_address.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("C30: parseClientAddress() has one form for each address, and IPv6 in groups of a /64", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["10.0.0.1", "10.0.0.1", "10.0.0.1"],
    [" 10.0.0.1:5123 ", "10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1"],
    ["[::FFFF:a00:1]:80", "10.0.0.1", "10.0.0.1"],
    ["2001:db8::1", "2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1", "2001:db8:0:0::/64"],
    ["[2001:db8::ffff:2]:443", "2001:db8::ffff:2", "2001:db8:0:0::/64"],
    ['"[2001:db8:0:1::2]:443"', "2001:db8:0:1::2", "2001:db8:0:1::/64"],
    ["fe80::1%eth0", "fe80::1", "fe80:0:0:0::/64"],
    ["::1", "::1", "0:0:0:0::/64"],
    ["1::", "1::", "1:0:0:0::/64"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", "1:2:3:4::/64"],
  ];
  for (const [text, address, group] of cases) {
    assertEquals(parseClientAddress(text), { address, group }, text);
  }
});

Deno.test("C30: parseClientAddress() takes nothing else for an address", () => {
  const none = [
    "",
    " ",
    "unknown",
    "_hidden",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "0x7f.1",
    "1.2.3.4.5",
  ];
  for (
    const text of [
      ...none,
      "10.0.0.1:x",
      "[10.0.0.1]",
      "[::1",
      "::1]",
      ":::",
      "g::1",
      "1:2:3:4:5:6:7:8:9",
    ]
  ) {
    assertEquals(parseClientAddress(text), undefined, text);
  }
});
