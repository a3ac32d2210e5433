import fc from "fast-check";
import { buildUrl } from "../../../src/rpc/http/http_json_url.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const built: [base: string, method: string, params: unknown, expected: string][] = [
  ["http://h/api", "status", undefined, "http://h/api/status"],
  ["http://h/api/", "status", {}, "http://h/api/status"],
  ["http://h/api", "/status", null, "http://h/api/status"],
  ["http://h/api//", "//status", undefined, "http://h/api/status"],
  ["http://h", "status", undefined, "http://h/status"],
  ["http://h/api", "", undefined, "http://h/api"],
  ["http://h/api", "a/b", undefined, "http://h/api/a/b"],
  ["http://h/api", "a b#c", undefined, "http://h/api/a%20b%23c"],
  ["http://h/api", "status?all=1", { min: 5 }, "http://h/api/status?all=1&min=5"],
  ["http://h/api?key=k", "status?all=1", { min: 5 }, "http://h/api/status?key=k&all=1&min=5"],
  ["http://h/api?method=", "a b", { x: 1 }, "http://h/api?method=a+b&x=1"],
  [
    "http://h/",
    "m",
    { t: "a&b", f: false, n: null, u: undefined },
    "http://h/m?t=a%26b&f=false&n=null",
  ],
  ["http://h/", "m", { list: [1, "a"] }, "http://h/m?list=%5B1%2C%22a%22%5D"],
];
for (const [base, method, params, expected] of built) {
  Deno.test(`buildUrl() makes ${expected}`, () => {
    const result = buildUrl(new URL(base), method, params);
    assert(result.ok);
    assertEquals(result.url.href, expected);
  });
}

Deno.test("buildUrl() says what is wrong with parameters it cannot send", () => {
  for (const params of [[1], "a", 5]) {
    const result = buildUrl(new URL("http://h/"), "m", params);
    assert(!result.ok && result.why.includes("object"), JSON.stringify(params));
  }
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const value of [cycle, () => 1, 1n]) {
    const result = buildUrl(new URL("http://h/"), "m", { odd: value });
    assert(!result.ok && result.why.includes("'odd'"));
  }
});

Deno.test("buildUrl() never leaves the base's origin, whatever the method", () => {
  const base = new URL("http://h:81/api");
  const method = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.constantFrom("//x/", "../..", "\\\\x\\y", "@x"),
  );
  fc.assert(
    fc.property(method, (method) => {
      const result = buildUrl(base, method, undefined);
      return result.ok && result.url.origin === base.origin;
    }),
    { numRuns: 50 },
  );
});
