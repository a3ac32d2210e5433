import { Ajv } from "ajv";
import specification from "@asyncapi/specs/3.0.0" with { type: "json" };
import { asyncApi } from "../../../src/server/reports/asyncapi.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { startApp, wsUrl } from "../../support/hub_in_process.ts";
import { json } from "../../../src/protocol/codec.ts";
import { type Heard, WsClient } from "../../support/ws_client.ts";

interface Document {
  readonly components: { readonly messages: Record<string, { readonly payload: object }> };
}

function documentOf(statusChannels: readonly string[]): Document {
  const options = { version: "1.2.3", host: "127.0.0.1:8787", isSecure: false, statusChannels };
  return asyncApi(options) as Document;
}

/** What is wrong with `value` by `schema`, references resolved within `document`. */
function problems(schema: object, value: unknown, document?: object): string {
  // The specification brings the schema of schemas along: two of them would be one too many.
  const ajv = new Ajv({
    strict: false,
    validateFormats: false,
    meta: false,
    validateSchema: false,
  });
  if (document) ajv.addSchema(document, "document");
  const resolved = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/'));
  return ajv.validate(document ? resolved : schema, value) ? "" : ajv.errorsText();
}

Deno.test("asyncApi() is a valid AsyncAPI 3.0 document", () => {
  assertEquals(problems(specification, documentOf(["disk_health"])), "");
});

Deno.test("asyncApi() names the hub's own status channels", () => {
  const document = documentOf(["disk_health"]);
  assert(JSON.stringify(document.components.messages["status"]).includes("disk_health"));
});

Deno.test("GET /asyncapi.json describes the frames that the hub really sends", async () => {
  await using app = await startApp({ hub: { heartbeat_every: "50ms" } });
  const document = await (await fetch(`${app.url}/asyncapi.json`)).json() as Document;
  assertEquals(problems(specification, document), "");
  await using client = await WsClient.connect(wsUrl(app));
  client.send({ type: "ping", id: 1 });
  client.send({ type: "nonsense" });
  client.send({ type: "unsubscribe", channels: ["notification"] });
  const wanted = ["welcome", "heartbeat", "pong", "error", "subscribed"];
  for (const type of wanted) {
    const frame = await client.waitFor((each) => each.type === type);
    const message = document.components.messages[type];
    assert(message, `${type} is described`);
    assertEquals(problems(message.payload, frame, document), "", type);
  }
  await using delta = await WsClient.connect(`${wsUrl(app)}?delta=1&channels=agent_status`);
  const { payload = {} } = document.components.messages["status_delta"] ?? {};
  const standing = { is_stale: false, cached_at: 5, age_ms: 0 };
  for (const n of [1, 2, 2]) {
    const data = json({ n, rest: "x".repeat(200) });
    app.hub.value("agent_status", { data, ...standing });
  }
  const told = (each: Heard, what: string) => each.type === "agent_status" && what in each.data;
  for (const what of ["data", "patch", "same"]) {
    const { at: _, ...frame } = await delta.waitFor((each) => told(each, what));
    assertEquals(problems(payload, frame, document), "", what);
  }
  const broken = { type: "welcome", timestamp: "now", data: {} };
  assert(problems(document.components.messages["welcome"]?.payload ?? {}, broken, document) !== "");
});

Deno.test("asyncApi() names no channel that nothing feeds", () => {
  const options = { version: "1.2.3", host: "hub", isSecure: false };
  const text = JSON.stringify(asyncApi({ ...options, statusChannels: ["queue_status"] }));
  assertEquals([/queue_status/.test(text), /agent_status|storage_update/.test(text)], [
    true,
    false,
  ]);
});
