import type { Identity } from "../../../src/server/door/identity.ts";
import { publish } from "../../../src/server/http/publish_route.ts";
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";

type PublisherRights = Pick<Identity, "mayRead" | "mayPublish">;

const PUBLISHER: PublisherRights = {
  mayRead: (channel) => channel !== "agent_status",
  mayPublish: true,
};

/** Publishes and tells the status, what the answer says, and what was sent. */
async function attempt(body: unknown, identity: PublisherRights = PUBLISHER, maxBytes = 1000) {
  const sent: unknown[] = [];
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = new Request("http://hub/publish", { method: "POST", body: text });
  const response = await publish(request, {
    identity,
    maxBytes,
    bodyTimeoutMs: 10_000,
    isDraining: () => false,
    publisher: {
      statusChannels: () => ["system_status", "agent_status", "compression_update"],
      isFed: (channel) => channel === "system_status",
      publishEvent: (channel, data) => Promise.resolve({ seq: sent.push([channel, data]) }),
      publishValue: (channel, data, { validForMs } = {}) =>
        Promise.resolve({
          seq: sent.push([channel, data, ...(validForMs === undefined ? [] : [validForMs])]),
        }),
    },
  });
  const answer = await response.json();
  return { status: response.status, answer, message: String(answer.message), sent };
}

Deno.test("publish() sends events and values, and tells their number", async () => {
  const event = { channel: "notification", data: { title: "t" } };
  const value = { channel: "compression_update", data: [1, null] };
  for (const { channel, data } of [event, value]) {
    const { status, answer, sent } = await attempt({ channel, data });
    assertEquals([status, answer, sent], [202, { seq: 1 }, [[channel, JSON.stringify(data)]]]);
  }
  assertEquals((await attempt({ channel: "compression_update", data: null })).status, 202);
  const brief = await attempt({ channel: "compression_update", data: 1, valid_for: "2m" });
  assertEquals([brief.status, brief.sent], [202, [["compression_update", "1", 120_000]]]);
});

Deno.test("publish() takes a token that may", async () => {
  const body = { channel: "notification", data: {} };
  const { status, sent } = await attempt(body, { ...PUBLISHER, mayPublish: false });
  assertEquals([status, sent], [403, []]);
});

Deno.test("publish() refuses what is not for publishing, and says why", async () => {
  const refused: [body: unknown, status: number, says: string][] = [
    ["{", 400, "not JSON"],
    ["[]", 400, "not an object"],
    ["null", 400, "not an object"],
    [{ data: 1 }, 400, `"channel"`],
    [{ channel: "No", data: 1 }, 400, `"channel"`],
    [{ channel: "notification" }, 400, `"data" is missing`],
    [{ channel: "notification", data: 1 }, 400, "an object such as"],
    [{ channel: "notification", data: [] }, 400, "an object such as"],
    [{ channel: "notification", data: {}, extra: 1 }, 400, `"extra"`],
    [{ channel: "notification", data: {}, valid_for: "1h" }, 400, "does not grow old"],
    [{ channel: "compression_update", data: 1, valid_for: "soon" }, 400, "a duration such as"],
    [{ channel: "compression_update", data: 1, valid_for: "0s" }, 400, "above 0"],
    [{ channel: "compression_update", data: 1, valid_for: 60 }, 400, "a duration such as"],
    [{ channel: "heartbeat", data: {} }, 403, "the hub's own"],
    [{ channel: "rpc_error", data: {} }, 403, "the hub's own"],
    [{ channel: "agent_status", data: 1 }, 403, "does not allow"],
    [{ channel: "system_status", data: 1 }, 409, "fed by a source"],
    [{ channel: "zzz", data: 1 }, 404, "compression_update"],
    [{ channel: "welcome", data: 1 }, 404, "there is no channel"],
    [{ channel: "notification", data: { t: "x".repeat(1000) } }, 413, "1000 bytes"],
  ];
  for (const [body, status, says] of refused) {
    const result = await attempt(body);
    const about = JSON.stringify(body).slice(0, 60);
    assertEquals([result.status, result.sent], [status, []], about);
    assertStringIncludes(result.message, says, about);
  }
});

Deno.test("publish() takes text that is not UTF-8 for what it is", async () => {
  const request = new Request("http://hub/publish", {
    method: "POST",
    body: new Uint8Array([0x22, 0xff, 0x22]),
  });
  const response = await publish(request, {
    identity: PUBLISHER,
    maxBytes: 100,
    bodyTimeoutMs: 10_000,
    isDraining: () => false,
    publisher: {
      statusChannels: () => [],
      isFed: () => false,
      publishEvent: () => Promise.resolve({ seq: 1 }),
      publishValue: () => Promise.resolve({ seq: 1 }),
    },
  });
  assertEquals(response.status, 400);
  assertStringIncludes(await response.text(), "UTF-8");
});

Deno.test("C45: publish() takes nothing once the door has closed, not even while a body comes", async () => {
  let isDraining = true;
  const sent: unknown[] = [];
  const ask = (body: BodyInit) =>
    publish(new Request("http://hub/publish", { method: "POST", body }), {
      identity: PUBLISHER,
      maxBytes: 1000,
      bodyTimeoutMs: 10_000,
      isDraining: () => isDraining,
      publisher: {
        statusChannels: () => [],
        isFed: () => false,
        publishEvent: (...event) => Promise.resolve({ seq: sent.push(event) }),
        publishValue: (...value) => Promise.resolve({ seq: sent.push(value) }),
      },
    });
  const text = JSON.stringify({ channel: "notification", data: {} });
  const refused = await ask(text);
  isDraining = false;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const coming = ask(readable);
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  isDraining = true;
  await writer.close();
  for (const { status, headers, body } of [refused, await coming]) {
    assertEquals([status, headers.get("retry-after")], [503, "5"]);
    await body?.cancel();
  }
  assertEquals(sent, []);
});
