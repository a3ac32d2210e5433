import fc from "fast-check";
import { assertEquals } from "../support/assert.ts";
import { addressKey, sockaddrKey, sockaddrPort } from "../../src/platform/socket_address.ts";

function sockaddr(family: number, port: number, at: number, address: readonly number[]): DataView {
  const bytes = new Uint8Array(128);
  bytes.set([family & 255, family >> 8, port >> 8, port & 255]);
  bytes.set(address, at);
  return new DataView(bytes.buffer);
}

const ipv4 = (port: number, ...address: number[]) => sockaddr(2, port, 4, address);
const ipv6 = (port: number, ...address: number[]) => sockaddr(10, port, 8, address);

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

Deno.test("addressKey() gives one key to every spelling of an address", () => {
  const spellings: [hostname: string, key: string][] = [
    ["192.0.2.1", "192.0.2.1:80"],
    ["::ffff:192.0.2.1", "192.0.2.1:80"],
    ["::FFFF:c000:201", "192.0.2.1:80"],
    ["0:0:0:0:0:ffff:255.255.255.255", "255.255.255.255:80"],
    ["::", "[0:0:0:0:0:0:0:0]:80"],
    ["::1", "[0:0:0:0:0:0:0:1]:80"],
    ["2001:db8::", "[2001:db8:0:0:0:0:0:0]:80"],
    ["2001:0DB8::00a1:1", "[2001:db8:0:0:0:0:a1:1]:80"],
    ["fe80::1%eth0", "[fe80:0:0:0:0:0:0:1]:80"],
    ["64:ff9b::192.0.2.33", "[64:ff9b:0:0:0:0:c000:221]:80"],
  ];
  for (const [hostname, key] of spellings) assertEquals(addressKey({ hostname, port: 80 }), key);
});

Deno.test("addressKey() keeps what is not an address as it stands", () => {
  const names = ["localhost", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4::5:6:7:8", "::12345", "::1.2.3"];
  for (const hostname of [...names, "::1.2.3.256", "::g", ""]) {
    assertEquals(addressKey({ hostname, port: 1 }), `${hostname}:1`);
  }
});

Deno.test("sockaddrKey() agrees with addressKey() on the text of any IPv6 address", () => {
  const bytes = fc.array(fc.constantFrom(0, 0, 0, 1, 10, 255), { minLength: 16, maxLength: 16 });
  fc.assert(fc.property(bytes, fc.integer({ min: 0, max: 65535 }), (address, port) => {
    const groups = Array.from({ length: 8 }, (_, i) => {
      const [high = 0, low = 0] = address.slice(2 * i);
      return (high << 8 | low).toString(16);
    });
    // Compressed by another's hand, as the runtime would print it.
    const { hostname } = new URL(`http://[${groups.join(":")}]`);
    const key = addressKey({ hostname: hostname.slice(1, -1), port });
    assertEquals(sockaddrKey(ipv6(port, ...address)), key);
  }));
});

Deno.test("sockaddrKey() agrees with addressKey() on IPv4, also inside IPv6", () => {
  const address = [203, 0, 113, 254];
  const key = addressKey({ hostname: "203.0.113.254", port: 65535 });
  assertEquals(sockaddrKey(ipv4(65535, ...address)), key);
  assertEquals(sockaddrKey(ipv6(65535, ...MAPPED, ...address)), key);
});

Deno.test("sockaddrKey() and sockaddrPort() know nothing of other families", () => {
  const unix = sockaddr(1, 8787, 4, [127, 0, 0, 1]);
  assertEquals([sockaddrKey(unix), sockaddrPort(unix)], [undefined, undefined]);
  assertEquals([sockaddrPort(ipv4(8787)), sockaddrPort(ipv6(8787))], [8787, 8787]);
});
