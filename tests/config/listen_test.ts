import { formatListen, parseListen } from "../../src/config/listen.ts";
import { assertEquals } from "../support/assert.ts";
import { configOf, linesOf } from "./support.ts";

Deno.test("parseListen() reads names, IPv4 and bracketed IPv6 addresses", () => {
  assertEquals(parseListen("127.0.0.1:8787"), { hostname: "127.0.0.1", port: 8787 });
  assertEquals(parseListen("localhost:0"), { hostname: "localhost", port: 0 });
  assertEquals(parseListen("[::1]:80"), { hostname: "::1", port: 80 });
  assertEquals(parseListen("[::ffff:127.0.0.1]:65535"), {
    hostname: "::ffff:127.0.0.1",
    port: 65535,
  });
});

Deno.test("parseListen() refuses what leaves the address open or is none", () => {
  const wrong = ["", "8787", ":8787", "localhost", "localhost:", "localhost:65536", "a:b", "*:80"];
  const worse = [
    "::1:80",
    "[::1]",
    "[zz]:1",
    "[:::]:1",
    "999.1.1.1:1",
    "http://a:1",
    "a:1/",
    "a :1",
  ];
  for (const text of [...wrong, ...worse]) assertEquals(parseListen(text), undefined, text);
});

Deno.test("formatListen() writes what parseListen() reads", () => {
  for (const text of ["127.0.0.1:8787", "[::1]:80"]) {
    const listen = parseListen(text);
    assertEquals(listen && formatListen(listen), text);
  }
});

Deno.test("listenSchema is what `listen` goes through", () => {
  assertEquals(configOf({ listen: "[::]:0" }).listen, { hostname: "::", port: 0 });
  const [line] = linesOf({ listen: ":8787" });
  assertEquals(line?.startsWith('listen: found ":8787"; expected HOST:PORT, such as'), true, line);
});
