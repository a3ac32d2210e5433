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
      "auth.jwt.secret: fewer than 32 bytes",
    ],
  );
});

Deno.test("notesOn() notes a backend that no source asks", () => {
  assertEquals(notes({ backends: { core: CORE } }), ["backends.core: no source asks it"]);
});

Deno.test("isAuthOn() is true with a token or a jwt", () => {
  assertEquals(isAuthOn(configOf({ auth: {} })), false);
  assertEquals(isAuthOn(configOf({ auth: { tokens: [TOKEN] } })), true);
  assertEquals(isAuthOn(configOf({ auth: { jwt: { secret: "x" } } })), true);
});
