import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { configSchema } from "../../src/config/schema.ts";
import { Authenticator } from "../../src/server/door/authenticator.ts";
import { type Clock, systemClock } from "../../src/resilience/clock.ts";
import type { Authentication } from "../../src/server/door/identity.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { FakeClock } from "../support/fake_clock.ts";
import { startLogs } from "../../src/telemetry/log.ts";
import { configOf, startApp, wsUrl } from "../support/hub_in_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { within } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";

const SECRET = "a shared secret of thirty-two bytes or more";
const ISSUER = "https://issuer.example";
const AUDIENCE = "holdfast";

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** An issuer: its keys, and the address where it publishes them. */
class Issuer implements AsyncDisposable {
  readonly #keys = new Map<string, { alg: string; pair: KeyPair }>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  fetches = 0;
  isDown = false;
  /** Makes the answer this many characters larger. */
  padding = 0;
  /** Put before the keys. */
  extra: unknown[] = [];
  /** Answers come when this is through. */
  gate: Promise<void> = Promise.resolve();

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
      this.fetches += 1;
      await this.gate;
      if (this.isDown) return new Response("down", { status: 500 });
      const keys = await Promise.all(
        [...this.#keys].map(async ([kid, { alg, pair }]) => ({
          ...await exportJWK(pair.publicKey),
          kid,
          alg,
        })),
      );
      return Response.json({ keys: [...this.extra, ...keys], padding: "x".repeat(this.padding) });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/jwks.json`;
  }

  async addKey(kid: string, alg: string): Promise<void> {
    this.#keys.set(kid, { alg, pair: await generateKeyPair(alg, { extractable: true }) });
  }

  removeKey(kid: string): void {
    this.#keys.delete(kid);
  }

  /** @param named Whether the token says which key it is signed with. */
  async sign(kid: string, claims: JWTPayload = {}, named = true): Promise<string> {
    const key = this.#keys.get(kid);
    if (key === undefined) throw new RangeError(`there is no key ${kid}`);
    const header = { alg: key.alg, ...(named ? { kid } : {}) };
    return await new SignJWT({ ...STANDARD, ...claims }).setProtectedHeader(header)
      .sign(key.pair.privateKey);
  }

  /** The public key as text, as whoever wants to misuse it as a secret would take it. */
  async publicText(kid: string): Promise<string> {
    const key = this.#keys.get(kid);
    return JSON.stringify(key && await exportJWK(key.pair.publicKey));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

const STANDARD: JWTPayload = { iss: ISSUER, aud: AUDIENCE, sub: "somebody", exp: now() + 600 };

function authenticatorOf(jwt: object, clock: Clock = systemClock): Authenticator {
  return new Authenticator(
    configSchema.shape.auth.parse({ jwt: { issuer: ISSUER, audience: AUDIENCE, ...jwt } }),
    { clock },
  );
}

const JSON_LOGS = { level: "info", format: "json" } as const;

function signed(claims: JWTPayload = {}, alg = "HS256", secret = SECRET): Promise<string> {
  return new SignJWT({ ...STANDARD, ...claims }).setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret));
}

function whyNot(result: Authentication): string {
  return result.ok ? "it was let in" : result.why;
}

Deno.test("Authenticator takes tokens of each kind of key", async () => {
  await using issuer = new Issuer();
  const algorithms = ["RS256", "PS256", "ES256", "EdDSA"];
  for (const alg of algorithms) await issuer.addKey(`key-${alg}`, alg);
  const authenticator = authenticatorOf({ jwks_url: issuer.url, secret: SECRET });
  for (const alg of algorithms) {
    const result = await authenticator.authenticate(await issuer.sign(`key-${alg}`));
    assert(result.ok && result.identity.name === "jwt:somebody", `${alg}: ${whyNot(result)}`);
  }
  for (const alg of ["HS256", "HS512"]) {
    const result = await authenticator.authenticate(await signed({}, alg));
    assert(result.ok, `${alg}: ${whyNot(result)}`);
  }
  assertEquals(issuer.fetches, 1, "the keys are kept");
});

Deno.test("Authenticator reads rights from the claims", async () => {
  const authenticator = authenticatorOf({ secret: SECRET });
  const metrics = await authenticator.authenticate(await signed({ channels: [], metrics: true }));
  assert(metrics.ok && metrics.identity.mayReadMetrics && !metrics.identity.readsAll);
  const cases: [claims: JWTPayload, mayRead: boolean[], mayPublish: boolean][] = [
    [{}, [true, true], false],
    [{ channels: ["a"], publish: true }, [true, false], true],
    [{ channels: "a c" }, [true, false], false],
    [{ channels: ["*a*"] }, [true, false], false],
    [{ channels: ["*"], publish: "yes" }, [true, true], false],
    [{ channels: [] }, [false, false], false],
    [{ channels: "" }, [false, false], false],
  ];
  for (const [claims, mayRead, mayPublish] of cases) {
    const result = await authenticator.authenticate(await signed(claims));
    assert(result.ok, whyNot(result));
    const { identity } = result;
    assertEquals(["a", "b"].map((name) => identity.mayRead(name)), mayRead);
    assertEquals(identity.mayPublish, mayPublish);
  }
  const bad = await authenticator.authenticate(await signed({ channels: { a: 1 } }));
  assertStringIncludes(whyNot(bad), `"channels"`);
});

Deno.test("Authenticator refuses tokens that are not for here or not for now", async () => {
  const authenticator = authenticatorOf({ secret: SECRET, clock_skew: "30s" });
  const refused: [claims: JWTPayload, says: string][] = [
    [{ exp: now() - 100 }, "expired"],
    [{ nbf: now() + 100 }, `"nbf"`],
    [{ iss: "https://other.example" }, `"iss"`],
    [{ aud: "somebody-else" }, `"aud"`],
  ];
  for (const [claims, says] of refused) {
    assertStringIncludes(whyNot(await authenticator.authenticate(await signed(claims))), says);
  }
  for (const claims of [{ exp: now() - 10 }, { nbf: now() + 10 }, { aud: ["x", AUDIENCE] }]) {
    assert((await authenticator.authenticate(await signed(claims))).ok, "within the clock's skew");
  }
});

Deno.test("Authenticator refuses forgeries, and is never undecided about one", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "RS256");
  const publicOnly = authenticatorOf({ jwks_url: issuer.url });
  const both = authenticatorOf({ jwks_url: issuer.url, secret: SECRET });
  const [head = "", body = "", signature = ""] = (await issuer.sign("one")).split(".");
  const none = (alg: string) =>
    `${btoa(JSON.stringify({ alg, typ: "JWT" })).replaceAll("=", "")}.${body}.`;
  const critical = await new SignJWT(STANDARD).setProtectedHeader({
    alg: "HS256",
    crit: ["b64"],
    b64: true,
  }).sign(new TextEncoder().encode(SECRET));
  const [, ...rest] = critical.split(".");
  const unknownExtension = btoa(JSON.stringify({ alg: "HS256", crit: ["x"], x: 1 }));
  const forgeries = [
    none("none"),
    none("None"),
    none("RS256"),
    `${head}.${
      btoa(JSON.stringify({ ...STANDARD, publish: true })).replaceAll("=", "")
    }.${signature}`,
    await signed({}, "HS256", await issuer.publicText("one")),
    await signed({}, "HS256", "another secret of thirty-two bytes or more"),
    [unknownExtension.replaceAll("=", ""), ...rest].join("."),
    "not-a-token",
    "..",
    "a.b.c",
    `${btoa("null")}.${body}.${signature}`,
  ];
  for (const forgery of forgeries) {
    for (const authenticator of [publicOnly, both]) {
      const result = await authenticator.authenticate(forgery);
      assert(!result.ok && result.isUndecided === undefined, `${forgery}: ${whyNot(result)}`);
      assert(!result.why.includes(forgery));
    }
  }
});

Deno.test("Authenticator tries each key that could be it, where a token names none", async () => {
  await using issuer = new Issuer();
  for (const kid of ["old", "new"]) await issuer.addKey(kid, "ES256");
  const authenticator = authenticatorOf({ jwks_url: issuer.url });
  for (const kid of ["old", "new"]) {
    const result = await authenticator.authenticate(await issuer.sign(kid, {}, false));
    assert(result.ok, whyNot(result));
  }
  await using stranger = new Issuer();
  await stranger.addKey("mine", "ES256");
  const forged = await authenticator.authenticate(await stranger.sign("mine", {}, false));
  assertStringIncludes(whyNot(forged), "signature");
  const expired = await issuer.sign("new", { exp: now() - 100 }, false);
  assertStringIncludes(whyNot(await authenticator.authenticate(expired)), "expired");
});

Deno.test("Authenticator does not let tokens of unknown keys drive fetches", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  await using stranger = new Issuer();
  await stranger.addKey("two", "ES256");
  const authenticator = authenticatorOf({ jwks_url: issuer.url });
  assert((await authenticator.authenticate(await issuer.sign("one"))).ok);
  const unknown = await stranger.sign("two");
  for (let time = 0; time < 10; time++) {
    assertStringIncludes(whyNot(await authenticator.authenticate(unknown)), "key is not known");
  }
  assertEquals(issuer.fetches, 1, "the last fetch was just now");
});

Deno.test("Authenticator fetches once for a new key, after the last fetch has cooled down", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  const clock = new FakeClock();
  const authenticator = authenticatorOf({ jwks_url: issuer.url }, clock);
  assert((await authenticator.authenticate(await issuer.sign("one"))).ok);
  await issuer.addKey("two", "ES256");
  const token = await issuer.sign("two");
  await clock.advance(11_000);
  const results = await Promise.all([1, 2, 3].map(() => authenticator.authenticate(token)));
  assert(results.every(({ ok }) => ok), results.map(whyNot).join());
  assertEquals(issuer.fetches, 2);
});

Deno.test("the door answers 503 while the issuer's keys cannot be had, and 401 to forgeries", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  const token = await issuer.sign("one");
  issuer.isDown = true;
  await using app = await startApp({ auth: { jwt: { jwks_url: issuer.url } } });
  const knock = async (given: string) => {
    using client = await RawClient.connect(wsUrl(app), { authorization: `Bearer ${given}` });
    return [client.handshake.status, client.handshake.headers.has("retry-after")];
  };
  assertEquals(await knock(token), [503, true]);
  assertEquals(await knock(await signed()), [401, false]);
  issuer.isDown = false;
  const letIn = async () => {
    while ((await knock(token))[0] !== 101) await delay(50);
  };
  await within(letIn(), { explain: () => "the keys were not fetched again" });
});

Deno.test("C27: known keys outlive an outage of the provider, for keep_keys_for", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  const clock = new FakeClock();
  const authenticator = authenticatorOf({ jwks_url: issuer.url, keep_keys_for: "2h" }, clock);
  const token = await issuer.sign("one");
  assert((await authenticator.authenticate(token)).ok);
  issuer.isDown = true;
  for (let minutes = 0; minutes < 115; minutes += 5) {
    await clock.advance(5 * 60_000);
    const result = await authenticator.authenticate(token);
    assert(result.ok, `${minutes} minutes: ${whyNot(result)}`);
  }
  await clock.advance(6 * 60_000);
  const late = await authenticator.authenticate(token);
  assert(!late.ok && late.isUndecided, "no longer than that");
  issuer.isDown = false;
  await clock.advance(2 * 60_000);
  assert((await authenticator.authenticate(token)).ok, "whole again when the trouble is over");
});

Deno.test("C27: an outage costs a fetch in a while and folded lines, whoever asks", async () => {
  const lines: string[] = [];
  await using _logs = startLogs({ ...JSON_LOGS, write: (line) => lines.push(line) });
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  const token = await issuer.sign("one");
  issuer.isDown = true;
  const clock = new FakeClock();
  const authenticator = authenticatorOf({ jwks_url: issuer.url }, clock);
  const results = await Promise.all(
    Array.from({ length: 200 }, () => authenticator.authenticate(token)),
  );
  assert(results.every((result) => !result.ok && result.isUndecided));
  assertEquals(issuer.fetches, 1);
  for (let second = 0; second < 300; second++) {
    await clock.advance(1000);
    await authenticator.authenticate(token);
  }
  assert(issuer.fetches <= 15, `${issuer.fetches} fetches in 5 minutes`);
  const told = lines.filter((line) => line.includes("jwks."));
  assert(told.length <= 2, told.join("\n"));
  assertStringIncludes(told[0] ?? "", "jwks.unavailable");
  assertStringIncludes(told[0] ?? "", "status is 500");
  issuer.isDown = false;
  await clock.advance(80_000);
  assert((await authenticator.authenticate(token)).ok);
  assertStringIncludes(lines.at(-1) ?? "", "jwks.available");
});

Deno.test("C27: a malformed key is left aside, and an empty set does not take the known keys away", async () => {
  const lines: string[] = [];
  await using _logs = startLogs({ ...JSON_LOGS, write: (line) => lines.push(line) });
  await using issuer = new Issuer();
  for (const kid of ["one", "two"]) await issuer.addKey(kid, "RS256");
  issuer.extra = [
    null,
    "text",
    { kty: "RSA", kid: "broken", alg: "RS256", n: "!!", e: 5 },
    { kty: "EC", kid: "odd", crv: "P-256" },
    { kty: "oct", kid: "secret", k: "c2VjcmV0" },
    { kty: "RSA", use: "enc", kid: "enc", n: "AQAB", e: "AQAB" },
  ];
  const clock = new FakeClock();
  const authenticator = authenticatorOf({ jwks_url: issuer.url }, clock);
  for (const kid of ["one", "two"]) {
    const result = await authenticator.authenticate(await issuer.sign(kid));
    assert(result.ok, whyNot(result));
  }
  const skipped = lines.filter((line) => line.includes("jwks.key_skipped"));
  assertEquals(skipped.map((line) => JSON.parse(line).key), ["broken", "odd"]);
  const token = await issuer.sign("one");
  for (const kid of ["one", "two"]) issuer.removeKey(kid);
  await clock.advance(11 * 60_000);
  assert((await authenticator.authenticate(token)).ok);
  assert(lines.some((line) => line.includes("no key that could be used")), lines.join("\n"));
});

Deno.test("Authenticator takes several issuers, and asks only the one a token names", async () => {
  await using one = new Issuer();
  await using two = new Issuer();
  await one.addKey("k", "ES256");
  await two.addKey("k", "ES256");
  const [a, b] = ["https://a.example", "https://b.example"];
  const authenticator = new Authenticator(configSchema.shape.auth.parse({
    jwt: [{ jwks_url: one.url, issuer: a }, { jwks_url: two.url, issuer: b }],
  }));
  assert((await authenticator.authenticate(await two.sign("k", { iss: b }))).ok);
  assertEquals([one.fetches, two.fetches], [0, 1]);
  assert((await authenticator.authenticate(await one.sign("k", { iss: a }))).ok);
  const crossed = await authenticator.authenticate(await one.sign("k", { iss: b }));
  assertStringIncludes(whyNot(crossed), "signature");
  const stranger = await authenticator.authenticate(await one.sign("k", { iss: "https://c" }));
  assertStringIncludes(whyNot(stranger), `"iss"`);
});

Deno.test("a client that goes away while its token is being checked leaves no place taken", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  const gate = Promise.withResolvers<void>();
  issuer.gate = gate.promise;
  await using app = await startApp({
    auth: { jwt: { jwks_url: issuer.url } },
    hub: { max_clients: 2, request_timeout: "300ms" },
  });
  const token = await issuer.sign("one");
  const { hostname, port, host } = new URL(app.url);
  for (let nth = 0; nth < 6; nth++) {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const path = nth % 2 ? "/ws" : "/events";
    await connection.write(
      new TextEncoder().encode(
        `GET ${path}?token=${token} HTTP/1.1\r\nhost: ${host}\r\nupgrade: websocket\r\n` +
          "connection: Upgrade\r\nsec-websocket-version: 13\r\n" +
          "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      ),
    );
    if (nth === 0) await eventually("the keys are asked for", () => issuer.fetches === 1);
    connection.close();
  }
  gate.resolve();
  const url = `${wsUrl(app)}?token=${token}`;
  const knocking = async () => {
    for (;;) {
      using client = await RawClient.connect(url);
      using another = await RawClient.connect(url);
      if (client.handshake.status === 101 && another.handshake.status === 101) return;
    }
  };
  await within(knocking(), { explain: () => "no place was given back" });
});

Deno.test("a client is closed with 1008 when its token expires, and a place is free", async () => {
  await using app = await startApp({
    auth: { jwt: { secret: SECRET, clock_skew: "0s" } },
    hub: { max_clients: 1 },
  });
  const token = await signed({ exp: now() + 2 });
  const url = `${wsUrl(app)}?token=${token}`;
  const client = await WsClient.connect(url);
  assertEquals(await client.waitForEnd(), {
    code: 1008,
    reason: "the token has expired",
    clean: true,
  });
  assertEquals(app.statusReport().total_clients, 0);
  using again = await RawClient.connect(url);
  assertEquals(again.handshake.status, 401);
  await using fresh = await WsClient.connect(`${wsUrl(app)}?token=${await signed()}`);
  assertEquals(fresh.end, undefined);
});

Deno.test("a reload keeps the keys it has, whatever it changes beside the issuer", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  const auth = { jwt: { jwks_url: issuer.url } };
  await using app = await startApp({ auth });
  const url = `${wsUrl(app)}?token=${await issuer.sign("one")}`;
  await (await WsClient.connect(url)).close();
  issuer.isDown = true;
  await app.reload({ ...app.config, origins: ["https://ops.example.com"] });
  await (await WsClient.connect(url)).close();
  await app.reload(configOf({ auth: { ...auth, tokens: [{ name: "t", token: "t0ken" }] } }));
  await (await WsClient.connect(url)).close();
  assertEquals(issuer.fetches, 1);
});

Deno.test("Authenticator reaches a provider through the environment's proxy, one on loopback straight", async () => {
  await using issuer = new Issuer();
  await issuer.addKey("one", "ES256");
  const asked: string[] = [];
  await using proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked.push(request.url);
    return fetch(issuer.url);
  });
  const proxyEnvironment = { all: `http://127.0.0.1:${proxy.addr.port}` };
  const authenticatorAt = (jwks_url: string) =>
    new Authenticator(configSchema.shape.auth.parse({ jwt: { jwks_url } }), { proxyEnvironment });
  const token = await issuer.sign("one");
  const far = await authenticatorAt("http://id.example/jwks").authenticate(token);
  assert(far.ok, whyNot(far));
  assertEquals(asked, ["http://id.example/jwks"]);
  assert((await authenticatorAt(issuer.url).authenticate(token)).ok);
  assertEquals(asked.length, 1);
});
