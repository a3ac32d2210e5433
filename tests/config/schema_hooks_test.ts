import { problemOfSecret } from "../../src/incidents/hooks/sign.ts";
import { HOOK_EVENTS, HOOK_PLACEHOLDERS, type HookEvent } from "../../src/protocol/incident.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { configOf, linesOf } from "./support.ts";

const HOOK = { name: "ops", url: "https://example.com/T0/B0/hidden" };
const hooksOf = (hook: object) => linesOf({ hooks: [{ ...HOOK, ...hook }] });

Deno.test("hooks: every event and every placeholder that a hook is told may be asked for", () => {
  const [hook] = configOf({ hooks: [HOOK] }).hooks;
  assertEquals(hook?.on, Object.keys(HOOK_EVENTS) as HookEvent[]);
  const body = HOOK_PLACEHOLDERS.map((name) => `{{${name}}}`);
  assertEquals(configOf({ hooks: [{ ...HOOK, body }] }).hooks[0]?.body, body);
});

Deno.test("hooks: a body may be any JSON with placeholders that there are", () => {
  const body = [{ a: "{{text}} {{ incident.backend | escape }}", b: [1, null, true] }, "{no}"];
  assertEquals(configOf({ hooks: [{ ...HOOK, body }] }).hooks[0]?.body, body);
  const [line = ""] = hooksOf({ body: { deep: ["{{incident.bakend}}"] } });
  assert(line.includes("hooks[0].body: found {{incident.bakend}}"), line);
  assert(line.includes("incident.backend"), line);
});

Deno.test("hooks: secrets that cannot sign are refused, and none is ever quoted", () => {
  for (const secret of ["whsec_####", "whsec_abc", "", "x".repeat(257)]) {
    const lines = hooksOf({ secret });
    assert(lines.length > 0, secret);
    assert(secret.length < 3 || !lines.join().includes(secret), secret);
  }
  for (const secret of ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLjSw", "plain text"]) {
    assertEquals([hooksOf({ secret }), problemOfSecret(secret)], [[], undefined]);
  }
  const lines = [
    ...hooksOf({ url: "ftp://example.com/hidden" }),
    ...hooksOf({ headers: { "x y": "hidden" } }),
    ...hooksOf({ headers: { "Webhook-Id": "hidden" } }),
    ...hooksOf({ secret: ["hidden"] }),
    ...linesOf({ hooks: ["https://example.com/hidden"] }),
    ...linesOf({ hooks: [HOOK, HOOK] }),
  ];
  assertEquals(lines.length, 6);
  assert(!lines.join("\n").includes("hidden"), lines.join("\n"));
});

Deno.test("hooks: patterns, events and times are checked", () => {
  assertEquals(hooksOf({ channels: ["agent_*"], backends: ["*"], on: ["down"], after: "5m" }), []);
  const wrong = [{ channels: ["Agent"] }, { on: ["dwn"] }, { after: 5 }, { remind: "31d" }];
  for (const hook of wrong) assertEquals(hooksOf(hook).length, 1, JSON.stringify(hook));
});
