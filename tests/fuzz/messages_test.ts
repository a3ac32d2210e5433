import fc from "fast-check";
import { MAX_BAD_MESSAGES } from "../../src/hub/inbound_limits.ts";
import { BATCH_WINDOW_MS } from "../../src/hub/delivery/batch_windows.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";
import { say } from "../support/seed.ts";
import { casesOf, messageText, settings } from "./cases.ts";
import { expect, type Expected, requireNoInsides, type Rules } from "./oracle.ts";

const MAX_BYTES = 8192;
const MESSAGES = casesOf(70_000);
const MESSAGES_PER_CONVERSATION = 35;

const binaryLength = fc.oneof(fc.nat(200), fc.integer({ min: 8000, max: 9000 }));

/** What one client sends, one after the other: texts, and lengths of binary messages. */
const conversation = fc.array(
  fc.oneof({ weight: 19, arbitrary: messageText }, binaryLength),
  { minLength: MESSAGES_PER_CONVERSATION, maxLength: MESSAGES_PER_CONVERSATION },
);

Deno.test("Hub answers every generated message with its code, and tells nobody else", async () => {
  const seen = { bad: 0, pong: 0, subscribed: 0, too_big: 0, closed1008: 0 };
  let messages = 0;
  await fc.assert(
    fc.asyncProperty(conversation, fc.boolean(), async (sent, isBatch) => {
      await using bench = openBench();
      const witness = bench.connect();
      witness.transport.sent.length = 0;
      let client = newClient(bench, isBatch);
      let now = bench.clock.now();
      for (const message of sent) {
        messages += 1;
        now += BATCH_WINDOW_MS;
        const expected = judge(message, client.rules);
        seen[expected.kind] += 1;
        if (typeof message === "string") client.session.receive(message, now);
        else client.session.receiveBinary(message, now);
        client.session.flush(now);
        if (expected.kind === "bad") client.bad += 1;
        const isLast = client.bad === MAX_BAD_MESSAGES;
        if (isLast) seen.closed1008 += 1;
        check(client, expected, typeof message === "string" ? message : "");
        const code = expected.kind === "too_big" ? 1009 : isLast ? 1008 : undefined;
        assertEquals(client.transport.closed?.code, code);
        if (code !== undefined) client = newClient(bench, isBatch);
      }
      bench.hub.disconnected(client.session, { clean: true, code: 1000 });
      assertEquals(witness.transport.sent, [], "one client's error is no other's business");
      assertEquals(bench.hub.size, 1);
    }),
    settings("fuzz of messages", Math.ceil(MESSAGES / MESSAGES_PER_CONVERSATION)),
  );
  say(`fuzz: ${messages} messages in process: ${JSON.stringify(seen)}`);
  for (const [kind, count] of Object.entries(seen)) assert(count > 0, `no message was ${kind}`);
});

function openBench(): HubBench {
  const bench = new HubBench({ maxMessageBytes: MAX_BYTES, highWaterBytes: 65_536 });
  bench.statusChannels.push("secret");
  bench.values.set("a", { data: text(1), is_stale: false, cached_at: 5, age_ms: 10 });
  return bench;
}

type Fuzzed = TestClient & { readonly rules: Rules; bad: number };

function newClient(bench: HubBench, batch: boolean): Fuzzed {
  const mayRead = (channel: string) => channel !== "secret";
  const client = bench.connect({ channels: ["heartbeat"], mayRead, batch });
  client.transport.sent.length = 0;
  const known = new Set([
    ...bench.statusChannels,
    "notification",
    "error",
    "rpc_error",
    "connection_error",
    "heartbeat",
  ]);
  const rules = { maxBytes: MAX_BYTES, known, mayRead, subscribed: new Set(["heartbeat"]) };
  return { ...client, rules, bad: 0 };
}

function judge(message: string | number, rules: Rules): Expected {
  if (typeof message === "string") return expect(message, rules);
  return { kind: message > rules.maxBytes ? "too_big" : "bad" };
}

/** Fails unless the client heard what it had to, and nothing else. */
function check({ transport, rules }: Fuzzed, expected: Expected, message: string): void {
  const frames = transport.frames.filter(({ type }) => type !== "a"); // a value handed over
  for (const answer of transport.sent.splice(0)) requireNoInsides(answer, message);
  const heard = frames.map(({ type, data }) => String(data.code ?? type));
  switch (expected.kind) {
    case "too_big":
      return assertEquals(heard, []);
    case "bad":
      return assertEquals(heard, ["BAD_MESSAGE"]);
    case "pong":
      assertEquals(heard, ["pong"]);
      // As JSON has it: -0 comes back as 0.
      return assertEquals(frames[0]?.data.id, JSON.parse(JSON.stringify(expected)).id);
    case "subscribed": {
      const refusals = heard.slice(0, -1);
      assertEquals(heard.at(-1), "subscribed");
      assertEquals(refusals.length, expected.refusals);
      assert(refusals.every((code) => /^(UNKNOWN|FORBIDDEN)_CHANNEL$/.test(code)));
      assertEquals(new Set(frames.at(-1)?.data.channels as string[]), rules.subscribed);
    }
  }
}
