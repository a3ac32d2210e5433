import type { Backend, Call, Outcome, StreamingBackend } from "../../src/rpc/backend.ts";
import { isStreaming } from "../../src/rpc/backend.ts";
import { maskedBackend, secretsIn } from "../../src/rpc/masked_backend.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("secretsIn() finds what is sent in headers and addresses", () => {
  const found = secretsIn(
    {
      authorization: "Bearer hunter2-token",
      "x-api-key": "key-123456",
      "x-login": `Basic ${btoa("me:pass-word")}`,
      "content-type": "application/json",
      "x-short": "abc",
    },
    ["http://me:p%40ssword@host/rpc?key=query-secret", "none", "http://host/"],
  );
  assertEquals(
    new Set(found),
    new Set([
      "Bearer hunter2-token",
      "hunter2-token",
      "key-123456",
      `Basic ${btoa("me:pass-word")}`,
      btoa("me:pass-word"),
      "me:pass-word",
      "pass-word",
      "p%40ssword",
      "p@ssword",
      "query-secret",
      btoa("me:p@ssword"),
    ]),
  );
  assert(found.every((each, at) => each.length <= (found[at - 1]?.length ?? Infinity)));
});

const SECRETS = secretsIn({ authorization: "Bearer hunter2-and-some-more" });

async function reasonOf(outcome: Outcome, call: Call = { method: "m" }): Promise<string> {
  const backend: Backend = {
    call: () => Promise.resolve(outcome),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const masked = maskedBackend(backend, SECRETS);
  const result = await masked.call(call, { signal: new AbortController().signal });
  return "reason" in result ? result.reason : "none";
}

Deno.test("C32: maskedBackend() shows no secret that a server echoes", async () => {
  const bad = (reason: string) => reasonOf({ kind: "rejected", reason });
  assertEquals(await bad("token hunter2-and-some-more is unknown"), "token … is unknown");
  assertEquals(
    await bad("got Bearer hunter2-and-some-more, twice hunter2-and-some-more"),
    "got …, twice …",
  );
  assertEquals(await bad("an excerpt ends: hunter2-and-so"), "an excerpt ends: …");
  assertEquals(await bad("hunter3 is no secret"), "hunter3 is no secret");
  const own = { method: "m", headers: { "x-tenant-key": "own-secret" } };
  const outcome = { kind: "unavailable", reason: "own-secret?", retryAfterMs: 5 } as const;
  assertEquals(await reasonOf(outcome, own), "…?");
  const keyed = { method: "a?api_key=abcdefghijklmnop&q=disks", params: { key: "0123456789abc" } };
  assertEquals(
    await reasonOf({
      kind: "rejected",
      reason: "/a?api_key=abcdefghijklmnop&q=disks 0123456789abc",
    }, keyed),
    "/a?api_key=…&q=disks …",
  );
});

Deno.test("C32: maskedBackend() shows no secret of a call's params, however deep it is there", async () => {
  const params = [{ auth: { token: "deep-secret-of-ours" } }, "flat-secret-of-ours", 7, null];
  const reason = "no such token: deep-secret-of-ours; flat-secret-of-ours 7";
  const call = { method: "m", params } as unknown as Call;
  assertEquals(await reasonOf({ kind: "rejected", reason }, call), "no such token: …; … 7");
});

Deno.test("C32: maskedBackend() knows a secret that is echoed as addresses, JSON and HTML write it", async () => {
  const secret = `Qy/a+s3%25"&'<é b==`;
  const call = { method: "m", headers: { "x-key": secret } };
  const shown = (echoed: string) => reasonOf({ kind: "rejected", reason: `<${echoed}>` }, call);
  const inJson = JSON.stringify(secret).slice(1, -1);
  for (
    const echoed of [
      secret,
      encodeURIComponent(secret),
      encodeURIComponent(secret).toLowerCase().replace("qy", "Qy"),
      new URLSearchParams([["", secret]]).toString().slice(1),
      inJson,
      inJson.replaceAll("/", "\\/").replace("é", "\\u00e9"),
      JSON.stringify(inJson.replaceAll("/", "\\/")).slice(1, -1),
      secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;")
        .replaceAll("'", "&#39;").replaceAll("/", "&#x2F;"),
    ]
  ) assertEquals(await shown(echoed), "<…>", echoed);
  assertEquals(await shown("Qy%2Fa%2Bs3%25%25"), "<Qy%2Fa%2Bs3%25%25>"); // too little of it
  assertEquals(
    await reasonOf({ kind: "rejected", reason: "/raw?key=ab%2B%2Fcdefghij%3D" }, {
      method: "/raw?key=ab%2B%2Fcdefghij%3D%3D",
    }),
    "/raw?key=…",
  );
});

Deno.test("C32: maskedBackend() masks streams as well, and leaves values alone", async () => {
  const value = { kind: "ok", value: '"hunter2-and-some-more"' } as Outcome;
  const backend: StreamingBackend = {
    call: () => Promise.resolve(value),
    describe: ({ method }) => `GET ${method}`,
    async *stream() {
      yield { kind: "opened" };
      yield { kind: "message", cameAtMs: 1, read: () => Promise.resolve(value) };
      const reason = "not hunter2-and-some-more";
      yield {
        kind: "message",
        cameAtMs: 2,
        read: () => Promise.resolve({ kind: "rejected", reason }),
      };
      return { kind: "unavailable", reason: "ended for hunter2-and-some-more", reopenAfterMs: 7 };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const masked = maskedBackend(backend, SECRETS);
  assert(isStreaming(masked));
  assertEquals(masked.describe?.({ method: "m" }), "GET m");
  const { signal } = new AbortController();
  assertEquals(await masked.call({ method: "m" }, { signal }), value);
  const events = masked.stream({ method: "m" }, { signal });
  const read: unknown[] = [];
  let next = await events.next();
  for (; !next.done; next = await events.next()) {
    read.push(next.value.kind === "message" ? await next.value.read() : next.value.kind);
  }
  assertEquals(read, ["opened", value, { kind: "rejected", reason: "not …" }]);
  assertEquals(next.value, { kind: "unavailable", reason: "ended for …", reopenAfterMs: 7 });
});
