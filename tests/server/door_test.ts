import { configSchema } from "../../src/config/schema.ts";
import { Authenticator } from "../../src/server/door/authenticator.ts";
import { readClientQuery } from "../../src/server/http/client_query.ts";
import { readRequestInfo, type RequestInfo } from "../../src/server/http/request_info.ts";
import { isOriginAllowed } from "../../src/server/door/origin.ts";
import { noPlace } from "../../src/server/http/reply.ts";
import { tokenOf } from "../../src/server/door/token.ts";
import { assert, assertEquals, assertFalse, assertStringIncludes } from "../support/assert.ts";

function infoOf(
  path: string,
  headers: Record<string, string> = {},
  options: { trustProxy?: boolean; method?: string } = {},
): RequestInfo {
  const { trustProxy = false, method = "GET" } = options;
  const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.9", port: 5 };
  const info = { remoteAddr, completed: Promise.resolve() };
  const request = new Request(`http://hub${path}`, { method, headers });
  const read = readRequestInfo(request, info, {
    trustProxy,
    isHttp2: () => true,
  });
  assert(read !== "bad_host");
  return read;
}

Deno.test("readRequestInfo() takes the client's address from the connection, or from a trusted proxy", () => {
  const headers = { "x-forwarded-for": "6.6.6.6, 10.0.0.1 , 10.0.0.2" };
  assertEquals(infoOf("/", headers).clientAddress, "127.0.0.9");
  // Only what our own proxy appended can be trusted: the last one.
  assertEquals(infoOf("/", headers, { trustProxy: true }).clientAddress, "10.0.0.2");
  assertEquals(infoOf("/", headers, { trustProxy: true }).peer.hostname, "127.0.0.9");
  for (const value of ["", " ", "a, "]) {
    const info = infoOf("/", { "x-forwarded-for": value }, { trustProxy: true });
    assertEquals(info.clientAddress, "127.0.0.9", value);
  }
  assertEquals(infoOf("/", {}, { trustProxy: true }).clientAddress, "127.0.0.9");
});

function headersOf(origin: string | undefined): Headers {
  return new Headers(origin === undefined ? {} : { origin });
}

Deno.test("C34: isOriginAllowed() takes no origin of another scheme for the hub's own", () => {
  const isAllowed = (origin: string, scheme: "http" | "https" | undefined) =>
    isOriginAllowed({ headers: headersOf(origin), host: "hub:8787", scheme }, []);
  assert(isAllowed("http://hub:8787", "http"));
  assert(isAllowed("https://hub:8787", "https"));
  assertFalse(isAllowed("https://hub:8787", "http"));
  assertFalse(isAllowed("http://hub:8787", "https"));
  for (const origin of ["ftp://hub:8787", "ws://hub:8787", "x-app://hub:8787"]) {
    for (const scheme of ["http", "https", undefined] as const) {
      assertFalse(isAllowed(origin, scheme), origin);
    }
  }
});

Deno.test("C34: readRequestInfo() takes the scheme from the connection, or from a trusted proxy", () => {
  const scheme = (value: string | undefined, trustProxy: boolean) =>
    infoOf("/", value === undefined ? {} : { "x-forwarded-proto": value }, { trustProxy }).scheme;
  assertEquals(scheme("https", false), "http", "whatever a client sends");
  assertEquals(scheme("https", true), "https");
  assertEquals(scheme("https, HTTP", true), "http", "what our own proxy appended");
  for (const value of [undefined, "", "gopher"]) assertEquals(scheme(value, true), undefined);
});

Deno.test("C25: readRequestInfo() takes the path from the request's target as it stands", () => {
  for (
    const path of ["/a/../metrics", "/a/%2e%2e/metrics", "/a\\..\\metrics", "//b/metrics", "/a#b"]
  ) {
    // As the runtime hands it over: `new Request()` would follow the dots.
    const request = {
      url: `http://hub${path}?q=1`,
      method: "GET",
      headers: new Headers({ host: "hub" }),
    };
    const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.9", port: 5 };
    const connection = { remoteAddr, completed: Promise.resolve() };
    const info = readRequestInfo(request as Request, connection, {
      trustProxy: false,
      isHttp2: () => false,
    });
    assert(info !== "bad_host");
    assertEquals([info.path, info.query.get("q")], [path, "1"]);
  }
});

Deno.test("isOriginAllowed() lets in the hub's own pages, those listed, and what is no browser", () => {
  const isAllowed = (origin: string | undefined, host: string, listed: string[] = []) =>
    isOriginAllowed({ headers: headersOf(origin), host, scheme: undefined }, listed);
  assert(isAllowed(undefined, "hub:8787"));
  assert(isAllowed("http://hub:8787", "hub:8787"));
  assert(isAllowed("https://hub", "hub:443"), "the default port is the same with and without");
  assert(isAllowed("https://ops.example.com", "hub:8787", ["https://ops.example.com"]));
  for (
    const origin of [
      "https://evil.example",
      "http://hub:8788",
      "http://hub.evil.example:8787",
      "https://ops.example.com.evil.example",
      "null",
      "",
      "file://",
    ]
  ) assertFalse(isAllowed(origin, "hub:8787", ["https://ops.example.com"]), origin);
});

Deno.test("tokenOf() reads a token from the header, the subprotocol or the query, in this order", () => {
  const token = (headers: Record<string, string>, query = "") =>
    tokenOf(new Headers(headers), new URLSearchParams(query));
  const protocol = { "sec-websocket-protocol": "holdfast, holdfast.token.cHJvdG9jb2w" };
  const bearer = { authorization: "Bearer header" };
  assertEquals(token({ ...bearer, ...protocol }, "token=query"), "header");
  assertEquals(token(protocol, "token=query"), "protocol");
  assertEquals(token({}, "token=query"), "query");
  assertEquals(token({}), undefined);
  assertEquals(token({ authorization: "bearer  header " }), "header");
  assertEquals(token({ authorization: "Basic header" }), undefined);
  // base64url proper: "-" and "_", and letters beyond ASCII.
  const odd = "\u00fb\u00ff?\u20ac";
  const bytes = String.fromCharCode(...new TextEncoder().encode(odd));
  const encoded = btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  assertEquals(token({ "sec-websocket-protocol": `holdfast.token.${encoded}` }), odd);
  for (const broken of ["!!!", "a", "_w"]) {
    assertEquals(token({ "sec-websocket-protocol": `holdfast.token.${broken}` }), undefined);
  }
});

Deno.test("readClientQuery() takes channels from one list or several, empty ones as all", () => {
  const channels = (query: string) => readClientQuery(infoOf(`/ws${query}`)).channels;
  assertEquals(channels("?channels=a,b"), ["a", "b"]);
  assertEquals(channels("?channels=a&channels=b,%20c%20,,a"), ["a", "b", "c"]);
  for (const query of ["", "?channels=", "?channels=,", "?token=x"]) {
    assertEquals(channels(query), undefined, query);
  }
});

Deno.test("readClientQuery() takes `batch=1` and nothing else for batching", () => {
  const batch = (query: string) => readClientQuery(infoOf(`/ws${query}`)).batch;
  assertEquals(["?batch=1", "?batch=0", "?batch=true", ""].map(batch), [true, false, false, false]);
});

Deno.test("readClientQuery() takes the place to go on from, also as an event stream tells it", () => {
  const resume = (query: string, headers: Record<string, string> = {}) =>
    readClientQuery(infoOf(`/ws${query}`, headers)).resume;
  assertEquals(resume(""), undefined);
  assertEquals(resume("?session=s&epoch=e&since=17"), { session: "s", epoch: "e", since: 17 });
  const at = (id: string) => resume("?session=s&epoch=e&since=3", { "last-event-id": id });
  assertEquals(at("9.e1"), { since: 9, epoch: "e1", isEventId: true });
  assertEquals(at("9.e.1"), { since: 9, epoch: "e.1", isEventId: true });
  assertEquals(at("9"), { since: 9, isEventId: true }, "of no epoch");
  assertEquals(at("nonsense"), { since: NaN, isEventId: true });
  assertEquals(at(""), { session: "s", epoch: "e", since: 3 });
  for (const since of ["-1", "1.5", "1e3", "x", "", "99999999999999999999"]) {
    assertEquals(resume(`?since=${since}`)?.since, NaN, since);
  }
});

Deno.test("noPlace() has the statuses of the contract, and when to come back", () => {
  const statuses = (["draining", "full", "too_many_from_address"] as const).map((why) => {
    const { status, headers } = noPlace(why);
    return [status, Number(headers.get("retry-after")) > 0];
  });
  assertEquals(statuses, [[503, true], [503, true], [429, true]]);
});

function authenticatorOf(auth: unknown): Authenticator {
  return new Authenticator(configSchema.shape.auth.parse(auth));
}

Deno.test("Authenticator lets anybody read where nothing is configured, and nobody publish", async () => {
  const authenticator = authenticatorOf({});
  assert(authenticator.isOpen);
  for (const token of [undefined, "whatever"]) {
    const result = await authenticator.authenticate(token);
    assert(result.ok && result.identity.mayRead("a") && !result.identity.mayPublish);
  }
});

Deno.test("Authenticator gives each token its rights and tells nothing of a wrong one", async () => {
  const authenticator = authenticatorOf({
    tokens: [
      { name: "one", token: "secret-one", channels: ["a"], publish: true },
      { name: "two", token: "secret-two" },
    ],
  });
  const one = await authenticator.authenticate("secret-one");
  assert(one.ok && one.identity.name === "one" && one.identity.mayPublish);
  assertEquals(["a", "b", "*"].map((name) => one.identity.mayRead(name)), [true, false, false]);
  const two = await authenticator.authenticate("secret-two");
  assert(two.ok && two.identity.mayRead("b") && !two.identity.mayPublish);
  for (const token of [undefined, "", "secret-on", "secret-one ", "SECRET-ONE"]) {
    const wrong = await authenticator.authenticate(token);
    assert(!wrong.ok && !wrong.why.includes("secret"), token);
    if (token === undefined) assertStringIncludes(wrong.ok ? "" : wrong.why, "Bearer");
  }
});
