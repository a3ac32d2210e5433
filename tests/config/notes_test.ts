import { isAuthOn, notesOn } from "../../src/config/notes.ts";
import { assertEquals } from "../support/assert.ts";
import { configOf, CORE } from "./support.ts";

const TOKEN = { name: "a", token: "0123456789abcdef" };

function notes(value: unknown): string[] {
  return notesOn(configOf(value));
}

Deno.test("notesOn() has nothing to say of a hub on loopback", () => {
  for (const listen of ["127.0.0.1:1", "localhost:1", "[::1]:1"]) {
    assertEquals(notes({ listen }), []);
  }
});

Deno.test("notesOn() notes a hub that anyone may connect to", () => {
  assertEquals(notes({ listen: "0.0.0.0:1" }), [
    "auth: none, and the hub listens on more than loopback: anyone may connect",
  ]);
});

Deno.test("notesOn() notes tokens that travel unencrypted", () => {
  const open = { listen: "[::]:1", auth: { tokens: [TOKEN] } };
  assertEquals(notes(open), [
    "tls: none, so that tokens travel unencrypted unless a proxy adds it",
  ]);
  assertEquals(notes({ ...open, trust_proxy: true }), []);
  assertEquals(notes({ ...open, tls: { cert: "a", key: "b" } }), []);
});

Deno.test("notesOn() notes short secrets without showing them", () => {
  assertEquals(
    notes({ auth: { tokens: [TOKEN, { name: "b", token: "short" }], jwt: { secret: "short" } } }),
    [
      'auth.tokens: the token "b" has fewer than 16 characters',
      "auth.jwt: a secret of fewer than 32 bytes",
    ],
  );
});

Deno.test("notesOn() notes more workers than there are cores", () => {
  const of = (workers: unknown) => notesOn(configOf({ workers }), { cores: 4 });
  assertEquals([of(4), of("auto"), of(1)], [[], [], []]);
  assertEquals(of(5), ["workers: 5 on a machine of 4: more than one a core brings nothing"]);
});

Deno.test("notesOn() notes a backend that no source asks", () => {
  assertEquals(notes({ backends: { core: CORE } }), ["backends.core: no source asks it"]);
});

Deno.test("notesOn() has nothing to say of NATS on loopback, or far away with login and TLS", () => {
  for (const nats of ["nats://127.0.0.1:4222", "nats://localhost", "nats://[::1]:4222"]) {
    assertEquals(notes({ cluster: { nats } }), []);
  }
  assertEquals(notes({ cluster: { nats: ["tls://hub:pw@a", "tls://b"], ca: "ca.pem" } }), []);
});

Deno.test("notesOn() notes a NATS without login or without TLS, and an authority without use", () => {
  const noLogin =
    "cluster.nats: no login, on more than loopback: anyone who reaches NATS can send to every client";
  const noTls = "cluster.nats: not tls://, so that all that hubs share travels unencrypted";
  assertEquals(notes({ cluster: { nats: "nats://a" } }), [noLogin, noTls]);
  assertEquals(notes({ cluster: { nats: ["nats://127.0.0.1", "tls://b"] } }), [noLogin]);
  assertEquals(notes({ cluster: { nats: "nats://hub:pw@a" } }), [noTls]);
  assertEquals(notes({ cluster: { nats: "nats://127.0.0.1", ca: "ca.pem" } }), [
    "cluster.ca: of no use, as no server is a tls:// one",
  ]);
});

Deno.test("notesOn() notes a lease so long that a leader is missed", () => {
  const cluster = { nats: "nats://127.0.0.1", lease: "20s" };
  assertEquals(notes({ cluster }), [
    "cluster.lease: a leader that dies is missed for up to 20s and some seconds",
  ]);
});

Deno.test("C56: notesOn() notes a grace shorter than NATS' own failover, where there are several servers", () => {
  const nats = ["nats://127.0.0.1", "nats://127.0.0.1:4223", "nats://127.0.0.1:4224"];
  assertEquals(notes({ cluster: { nats } }), []);
  assertEquals(notes({ cluster: { nats: nats[0], grace: "5s" } }), []);
  assertEquals(notes({ cluster: { nats, grace: "5s" } }), [
    "cluster.grace: shorter than NATS may take to replace one of its servers (10s), so that each " +
    "such time hubs go alone",
  ]);
});

Deno.test("notesOn() takes an nkey, credentials or a certificate for a login, and notes one without use", () => {
  const nats = "tls://a";
  for (const proof of [{ credentials: "hub.creds" }, { cert: "hub.pem", key: "hub.key" }]) {
    assertEquals(notes({ cluster: { nats, ...proof } }), []);
  }
  assertEquals(notes({ cluster: { nats: "nats://127.0.0.1", cert: "c.pem", key: "k.pem" } }), [
    "cluster.cert: of no use, as no server is a tls:// one",
  ]);
});

Deno.test("isAuthOn() is true with a token or a jwt", () => {
  assertEquals(isAuthOn(configOf({ auth: {} })), false);
  assertEquals(isAuthOn(configOf({ auth: { tokens: [TOKEN] } })), true);
  assertEquals(isAuthOn(configOf({ auth: { jwt: { secret: "x" } } })), true);
});
