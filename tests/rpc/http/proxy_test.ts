import { HttpClient } from "../../../src/rpc/http/http_client.ts";
import {
  exemptLoopback,
  forgetProxyVariables,
  isLoopback,
  proxyEnvironmentOf,
  proxyFor,
} from "../../../src/rpc/http/proxy.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { recording } from "../raw_server.ts";

const { signal } = new AbortController();
const PROXY = "http://proxy.example:3128";

const choices: [url: string, setting: string, no: string, proxy: string | undefined][] = [
  ["http://api.example/x", "none", "", undefined],
  ["http://api.example/x", "environment", "", "http://plain:1"],
  ["https://api.example/x", "environment", "", "http://secure:2"],
  ["http://api.example/x", PROXY, "", PROXY],
  ["http://api.example/x", PROXY, "*", PROXY],
  ["http://127.0.0.1:9/x", PROXY, "", undefined],
  ["http://localhost/x", "environment", "", undefined],
  ["http://[::1]/x", PROXY, "", undefined],
  ["http://api.example/x", "environment", "*", undefined],
  ["http://api.example/x", "environment", "other.example, api.example", undefined],
  ["http://a.api.example/x", "environment", ".api.example", undefined],
  ["http://api.example/x", "environment", ".example", undefined],
  ["http://myapi.example/x", "environment", "api.example", "http://plain:1"],
  ["http://api.example:81/x", "environment", "api.example:80", "http://plain:1"],
  ["https://api.example/x", "environment", "api.example:443", undefined],
  ["http://10.1.2.3/x", "environment", "10.0.0.0/8", undefined],
  ["http://11.1.2.3/x", "environment", "10.0.0.0/8", "http://plain:1"],
  ["http://[fd00::1]/x", "environment", "fd00::1", undefined],
];
for (const [url, setting, no, expected] of choices) {
  Deno.test(`C05: proxyFor() sends ${url} through ${expected ?? "none"} (${setting}; ${no})`, () => {
    const environment = proxyEnvironmentOf({
      http_proxy: "plain:1",
      HTTPS_PROXY: "http://secure:2",
      no_proxy: no,
    });
    assertEquals(proxyFor(new URL(url), setting, environment), expected);
  });
}

Deno.test("C05: isLoopback() knows this machine by its names and addresses, and nobody else", () => {
  const hostOf = (host: string) => new URL(`http://${host}/`).hostname;
  for (
    const host of [
      "localhost",
      "a.localhost",
      "127.0.0.1",
      "127.9.9.9",
      "[::1]",
      "[::ffff:127.0.0.1]",
    ]
  ) assert(isLoopback(hostOf(host)), host);
  for (
    const host of ["localhost.example", "128.0.0.1", "[::2]", "[::ffff:128.0.0.1]", "127.example"]
  ) {
    assert(!isLoopback(hostOf(host)), host);
  }
});

Deno.test("C05: forgetProxyVariables() leaves none of the runtime's behind", () => {
  const left = new Map([["HTTP_PROXY", "a"], ["http_proxy", "b"], ["ALL_PROXY", "c"], [
    "no_proxy",
    "d",
  ], ["HOME", "/"]]);
  forgetProxyVariables(left);
  assertEquals([...left.keys()], ["HOME"]);
});

Deno.test("C05: exemptLoopback() adds this machine to what was exempt, in both spellings", () => {
  const env = new Map([["NO_PROXY", "a.example"]]);
  exemptLoopback(env);
  const expected = "a.example,localhost,127.0.0.0/8,::1";
  assertEquals([env.get("NO_PROXY"), env.get("no_proxy")], [expected, expected]);
});

function get(url: string) {
  return { method: "GET", url: new URL(url), headers: new Headers({ "x-key": "k" }) } as const;
}

Deno.test("C05: HttpClient() asks a proxy it was given, with its login, but not for loopback", async () => {
  const { server: proxy, requests } = recording();
  await using _proxy = proxy;
  const { server: home, requests: atHome } = recording();
  await using _home = home;
  await using client = new HttpClient({
    maxResponseBytes: 100,
    proxy: proxy.url.replace("//", "//me:pw@"),
  });
  const answer = await client.ask(get("http://backend.test/x"), { signal });
  assertEquals(answer.kind, "answer");
  const [request = ""] = requests;
  assert(request.startsWith("GET http://backend.test/x HTTP/1.1\r\n"), request);
  assert(
    request.toLowerCase().includes(`proxy-authorization: basic ${btoa("me:pw").toLowerCase()}`),
  );
  assertEquals((await client.ask(get(home.url), { signal })).kind, "answer");
  assertEquals([requests.length, atHome.length], [1, 1]);
});

Deno.test("C05: HttpClient() says which proxy did not answer, and no login", async () => {
  const { server, requests: _ } = recording();
  const { url } = server;
  await server[Symbol.asyncDispose]();
  await using client = new HttpClient({
    maxResponseBytes: 100,
    proxy: url.replace("//", "//me:pw@"),
  });
  const answer = await client.ask(get("http://backend.test/x"), { signal });
  assertEquals(answer, {
    kind: "unavailable",
    reason: `connection refused (through the proxy ${url.replace(/\/$/, "")})`,
  });
});

Deno.test("HttpClient() refuses a proxy that is none", () => {
  assertThrows(
    () => new HttpClient({ maxResponseBytes: 1, proxy: "ftp://h" }),
    RangeError,
    "'proxy' must be",
  );
});

Deno.test("C05: HttpClient() says so where the environment names a proxy that is none", async () => {
  await using client = new HttpClient({
    maxResponseBytes: 100,
    proxy: "environment",
    proxyEnvironment: { http: "ftp://proxy" },
  });
  assertEquals(await client.ask(get("http://backend.test/x"), { signal }), {
    kind: "unavailable",
    reason: "the proxy that the environment names cannot be used: it is no URL of a proxy",
  });
});
