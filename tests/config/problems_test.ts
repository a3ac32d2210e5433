import { describeProblem } from "../../src/config/problems.ts";
import { assert, assertEquals, assertFalse } from "../support/assert.ts";
import { CORE, linesOf, SOURCE } from "./support.ts";

Deno.test("describeProblem() puts the place first, with line and column if known", () => {
  const words = { found: "x", expected: "y" };
  assertEquals(describeProblem({ where: "--listen", ...words }), "--listen: found x; expected y");
  assertEquals(
    describeProblem({ where: "a.yaml", line: 2, column: 5, ...words }),
    "a.yaml:2:5: found x; expected y",
  );
});

Deno.test("problemsOf() tells everything at once", () => {
  const lines = linesOf({
    listen: "x",
    lisen: "y",
    backends: { core: { ...CORE, retry: { min: "9s", tries: 1 }, timeout: "soon" } },
    sources: [{ channel: "heartbeat", backend: "cor" }, { ...SOURCE, every: 5 }],
    auth: { tokens: [{ name: "a" }] },
    hub: { max_clients: -1 },
    log: { level: "${LEVEL}" },
  });
  const places = lines.map((line) => line.split(":")[0]).sort();
  assertEquals(places, [
    "auth.tokens[0].token",
    "backends.core.retry.min",
    "backends.core.retry.tries",
    "backends.core.timeout",
    "hub.max_clients",
    "lisen",
    "listen",
    "log.level",
    "sources[0].backend",
    "sources[0].channel",
    "sources[0].method",
    "sources[1].every",
  ]);
});

Deno.test("problemsOf() tells at most a hundred, and how many more there are", () => {
  const lines = linesOf({ sources: Array.from({ length: 200 }, () => 1) });
  assertEquals(lines.length, 101);
  assertEquals(lines.at(-1), "found 100 more problems; expected none");
});

/** Each holds the word in a place where it would be wrong, or beside something wrong. */
const SECRET = "hunter2";
const LEAKY: readonly unknown[] = [
  { auth: SECRET },
  { auth: { tokens: SECRET } },
  { auth: { tokens: [SECRET] } },
  { auth: { tokens: [{ name: "a", token: `${SECRET} with spaces` }] } },
  { auth: { tokens: [{ name: "a", token: SECRET }, { name: "b", token: SECRET }] } },
  { auth: { tokens: [{ name: "a", token: [SECRET] }] } },
  { auth: { jwt: SECRET } },
  { auth: { jwt: { secret: { value: SECRET } } } },
  { backends: { core: { ...CORE, headers: SECRET } } },
  { backends: { core: { ...CORE, headers: { authorization: `${SECRET}\nx: y` } } } },
  { backends: { core: { ...CORE, url: `ftp://me:${SECRET}@host` } } },
  { backends: { core: { ...CORE, url: `ftp://host/?key=${SECRET}` } } },
  { cluster: { nats: `http://me:${SECRET}@host` } },
  { cluster: { nats: "nats://a", nkey: SECRET } },
  { cluster: { nats: [`http://me:${SECRET}@host`] } },
  { cluster: { nats: [`nats://me:${SECRET}@a`, `nats://you:${SECRET}@b`] } },
  { cluster: { nats: `nats://me:${SECRET}@a,nats://b` } },
  { cluster: { nats: "nats://me:${WORD}@a/b" } },
  { listen: "${WORD}" },
  { log: { level: "${WORD}" }, trust_proxy: "${WORD}", origins: ["${WORD}"] },
  { backends: { core: CORE }, sources: [{ ...SOURCE, backend: "${WORD}", every: "${WORD}" }] },
  { backends: { core: { transport: "${WORD}" }, g: { ...CORE, timeout: "${WORD}" } } },
  { auth: { tokens: [{ name: "${WORD}!", token: "x", channels: ["${WORD}!"] }] } },
  { auth: { tokens: [{ name: "a", token: `p\${${SECRET}!` }] } },
  // C32: misplaced ones
  { auth: { tokens: [{ name: "a", token: `p\${${SECRET}}` }] } },
  { auth: { [SECRET]: 1 } },
  { auth: { tokens: { [SECRET]: { name: "a" } } } },
  { auth: { tokens: [{ name: "a", token: "t0ken", [SECRET]: true }] } },
  { auth: { tokens: [{ name: SECRET + " !", token: "t0ken" }] } },
  { auth: { jwt: { [SECRET]: "x", secret: "y" } } },
  { auth: { jwt: [SECRET] } },
  { backends: { core: { ...CORE, headers: { [`Bearer ${SECRET}`]: "authorization" } } } },
  { backends: { core: { ...CORE, headers: { [SECRET]: 5 } } } },
  { backends: { core: { ...CORE, headers: { [SECRET]: "${UNSET}" } } } },
  { backends: { core: SECRET } },
  { backends: { core: { ...CORE, url: SECRET } } },
  { tls: `-----BEGIN PRIVATE KEY-----\n${SECRET}` },
  { tls: { cert: `-----BEGIN CERTIFICATE-----\n${SECRET}`, key: `-----BEGIN X-----${SECRET}` } },
  { tls: { cert: "a", key: [SECRET] } },
  { tls: { cert: "a", key: "b", [SECRET]: 1 } },
  { cluster: { nats: "nats://a", nkey: SECRET } },
  { cluster: SECRET },
  { hooks: [{ name: "a", url: `ftp://${SECRET}`, secret: [SECRET] }] },
  { hooks: SECRET },
  `{ "auth": { "tokens": [{ "name": "a", "token": "x", "${SECRET}": 1, "${SECRET}": 2 }] } }`,
  `{ "backends": { "core": { "headers": { "${SECRET}": "a", "${SECRET}": "b" } } } }`,
];

Deno.test("describeFound() shows no secret and nothing from the environment", () => {
  for (const value of LEAKY) {
    const lines = linesOf(value, { env: { WORD: SECRET } });
    assert(lines.length > 0, JSON.stringify(value));
    assertFalse(lines.join("\n").includes(SECRET), lines.join("\n"));
  }
});

Deno.test("describeFound() does not show a default's rival from the environment", () => {
  const lines = linesOf({ backends: { core: { ...CORE, retry: { min: "${WORD}" } } } }, {
    env: { WORD: "9s" },
  });
  assertEquals(lines, [
    "backends.core.retry.min: found a string (from the environment); expected at most " +
    '"max", which is "2s"',
  ]);
});

Deno.test("describeFound() bounds and escapes what it shows", () => {
  const [line = ""] = linesOf({ listen: `\u001b[31m${"x".repeat(500)}` });
  assert(line.startsWith('listen: found "\\u001b[31mxxx'), line);
  assertFalse(line.includes("x".repeat(60)));
});
