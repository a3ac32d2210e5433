import { isAuthority, isHostServed } from "../../../src/server/door/host.ts";
import { assert, assertFalse } from "../../support/assert.ts";

Deno.test("C25: isAuthority() takes host and host:port alone", () => {
  const good = ["a", "A.b-c.d", "my_hub:8787", "10.0.0.1:1", "[::1]", "[::1]:8787", "a.", "a:"];
  for (const text of good) assert(isAuthority(text), text);
  const bad = [
    "",
    " ",
    "a b",
    "a/",
    "a/metrics?",
    "x\\metrics?",
    "a?",
    "a#",
    "u@a",
    "u:p@a",
    "a:99999",
  ];
  for (
    const text of [
      ...bad,
      "a:x",
      "[",
      "[::1",
      "[x]",
      "::1",
      "%",
      "a%2f",
      "a,b",
      "b\u00fccher",
      "a:1:2",
    ]
  ) {
    assertFalse(isAuthority(text), text);
  }
});

Deno.test("C28: isHostServed() knows addresses, localhost, the machine's name and those listed", () => {
  const served = { hosts: ["hub.example.com"], machine: "Box.lan" };
  const known = [
    "127.0.0.1",
    "10.1.2.3:8787",
    "[::1]:8787",
    "0x7f000001",
    "localhost:1",
    "LOCALHOST",
  ];
  for (
    const host of [
      ...known,
      "app.localhost",
      "box",
      "box.LAN:80",
      "hub.example.com.",
      "HUB.example.com:8",
    ]
  ) {
    assert(isHostServed(host, served), host);
  }
  const strange = ["rebind.example", "localhost.evil.example", "1.2.3.4.evil.example", "boxy"];
  for (const host of [...strange, "x.hub.example.com", "evilhub.example.com", "notlocalhost"]) {
    assertFalse(isHostServed(host, served), host);
  }
  assertFalse(isHostServed("box", { hosts: [], machine: undefined }));
});
