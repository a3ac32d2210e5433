import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { unixAddress } from "../../src/platform/unix_address.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("unixAddress() ends a path with a NUL and begins an abstract name with one", () => {
  const path = unixAddress("/run/systemd/notify");
  assert(path.ok);
  assertEquals(text(path.sockaddr), "\x01\0/run/systemd/notify\0");
  const name = unixAddress("@holdfast");
  assert(name.ok);
  assertEquals(text(name.sockaddr), "\x01\0\0holdfast");
});

Deno.test("unixAddress() takes exactly what fits", () => {
  const longest = unixAddress("/" + "é".repeat(53)); // 107 bytes
  assert(longest.ok);
  assertEquals(longest.sockaddr.length, 110); // sizeof(struct sockaddr_un)
  const tooLong = unixAddress("/" + "é".repeat(53) + "x");
  assert(!tooLong.ok);
  assertStringIncludes(tooLong.why, "at most 107 bytes; this one has 108");
});

Deno.test("unixAddress() says what is wrong with anything else", () => {
  for (const path of ["", "relative/socket", "vsock:2:1234"]) {
    const result = unixAddress(path);
    assert(!result.ok);
    assertStringIncludes(result.why, `"${path}" is not a Unix socket`);
  }
  const withNul = unixAddress("/run/a\0b");
  assert(!withNul.ok);
  assertStringIncludes(withNul.why, "must not contain a NUL");
});
