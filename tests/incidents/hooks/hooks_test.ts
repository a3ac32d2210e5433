import { Webhook } from "standardwebhooks";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { systemClock } from "../../../src/resilience/clock.ts";
import { Hooks } from "../../../src/incidents/hooks/hooks.ts";
import { problemOfSecret, signedHeaders } from "../../../src/incidents/hooks/sign.ts";
import { keeperOf } from "../keeper.ts";
import { down, HookServer, planOf } from "./support.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLjSw";

Deno.test("Hooks sign each call as Standard Webhooks say", async () => {
  await using server = new HookServer();
  await using hooks = new Hooks({ clock: systemClock });
  hooks.apply([planOf({ url: server.url, secret: SECRET, headers: { "x-team": "ops" } })], []);
  hooks.began(down({ startedMs: Date.now() }));
  await eventually("it was called", () => server.received.length === 1);
  const [call] = server.received;
  assert(call);
  const verified = new Webhook(SECRET).verify(call.text, Object.fromEntries(call.headers)) as {
    type: string;
    text: string;
    incident: { backend: string };
  };
  assertEquals([verified.type, verified.incident.backend], ["backend.down", "core"]);
  assertEquals(verified.text, `Backend "core" is down: connection refused`);
  assertEquals(call.headers.get("x-team"), "ops");
  assertThrows(() => new Webhook(SECRET).verify(`${call.text} `, Object.fromEntries(call.headers)));
});

Deno.test("Hooks: one that hangs delays no other, and what it is owed is kept", async () => {
  const stuck = Promise.withResolvers<number>();
  await using hanging = new HookServer(() => stuck.promise);
  await using quick = new HookServer();
  const { keeper, past } = keeperOf();
  {
    await using hooks = new Hooks({ clock: systemClock, keeper });
    hooks.apply([
      planOf({ name: "hanging", url: hanging.url }),
      planOf({ name: "quick", url: quick.url }),
    ], []);
    hooks.began(down({ startedMs: Date.now() }));
    hooks.ended(down({ endedMs: Date.now() }));
    await eventually("the quick one has both", () => quick.received.length === 2);
    assertEquals(hooks.reports()["hanging"]?.waiting, 2);
  }
  stuck.resolve(500);
  const owed = past("crash").hooks;
  assertEquals(owed.get("hanging")?.waiting.length, 2);
  assertEquals(owed.get("quick")?.waiting.length ?? 0, 0);
  await using server = new HookServer();
  await using again = new Hooks({ clock: systemClock });
  again.apply([planOf({ name: "hanging", url: server.url })], [], owed);
  await eventually("what was owed is told", () => server.received.length === 2);
  const types = server.received.map(({ text }) => JSON.parse(text).type);
  assertEquals(types, ["backend.down", "backend.up"]);
  assertEquals(
    server.received[0]?.headers.get("webhook-id"),
    hanging.received[0]?.headers.get("webhook-id"),
  );
});

Deno.test("Hooks of a hub that does not call for the others stay silent", async () => {
  await using server = new HookServer();
  let isCaller = false;
  await using hooks = new Hooks({ clock: systemClock, isCaller: () => isCaller });
  hooks.apply([planOf({ url: server.url })], []);
  hooks.began(down({ startedMs: Date.now() }));
  isCaller = true; // the lead came to it: it knows what the others were told
  hooks.ended(down({ endedMs: Date.now() }));
  await eventually("it was called", () => server.received.length === 1);
  assertEquals(JSON.parse(server.received[0]?.text ?? "").type, "backend.up");
});

Deno.test("Hooks that a reload brings hear of nothing that began before, and those that stay lose nothing", async () => {
  await using server = new HookServer();
  await using hooks = new Hooks({ clock: systemClock });
  const lasting = down({ startedMs: Date.now() });
  hooks.apply([planOf({ url: server.url, afterMs: 60_000 })], []);
  hooks.began(lasting);
  hooks.apply([planOf({ url: server.url }), planOf({ name: "new", url: `${server.url}/new` })], [
    lasting,
  ]);
  await eventually("the one that stays tells it", () => server.received.length === 1);
  hooks.ended({ ...lasting, endedMs: Date.now() });
  await eventually("both tell the end", () => server.received.length === 3);
  const told = server.received.map(({ path, text }) => `${path} ${JSON.parse(text).type}`);
  assertEquals(told.filter((each) => each.startsWith("/hook/new")), ["/hook/new backend.up"]);
});

Deno.test("signedHeaders() takes any secret, and says which it cannot", () => {
  const headers = signedHeaders(
    { id: "msg_1", body: "{}", secret: "plain text" },
    1_764_000_000_000,
  );
  assertEquals(headers["webhook-timestamp"], "1764000000");
  assert(headers["webhook-signature"]?.startsWith("v1,"));
  assertEquals(problemOfSecret("plain text"), undefined);
  const why = problemOfSecret("whsec_not base64 at all!");
  assert(why !== undefined && !why.includes("not base64 at all"));
});

Deno.test("Hooks that are configured no more are owed nothing, in this life or a later one", async () => {
  await using server = new HookServer(() => 500);
  const { keeper, past } = keeperOf();
  {
    await using hooks = new Hooks({ clock: systemClock, keeper });
    hooks.apply([planOf({ url: server.url })], []);
    hooks.began(down({ startedMs: Date.now() }));
    assertEquals(past("crash").hooks.get("ops")?.waiting.length, 1);
  }
  await using later = new Hooks({ clock: systemClock, keeper });
  later.apply([], [], past("crash").hooks);
  assertEquals(past("crash").hooks.size, 0);
});
