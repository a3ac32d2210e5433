import { parse } from "jsonc-parser";
import * as z from "zod";
import { EXAMPLE_CONFIG } from "../../src/config/example.ts";
import { configJsonSchema } from "../../src/config/json_schema.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { CORE, SOURCE } from "./support.ts";

type Schema = { [key: string]: unknown };

/** The properties of the whole schema, as `hub.ping_every` and the like; `*` is any name. */
function propertiesOf(schema: unknown, path = ""): (readonly [string, Schema])[] {
  const { properties = {}, additionalProperties, items, oneOf = [] } = schema as {
    properties?: Record<string, Schema>;
    additionalProperties?: unknown;
    items?: unknown;
    oneOf?: unknown[];
  };
  const own = Object.entries(properties).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return [[at, value] as const, ...propertiesOf(value, at)];
  });
  const inner = typeof additionalProperties === "object" && additionalProperties !== null
    ? propertiesOf(additionalProperties, `${path}.*`)
    : [];
  const listed = items === undefined ? [] : propertiesOf(items, `${path}[]`);
  return [...own, ...inner, ...listed, ...oneOf.flatMap((each) => propertiesOf(each, path))];
}

const properties = propertiesOf(configJsonSchema());

/** The schema, at work. */
function accepts(value: unknown): boolean {
  return z.fromJSONSchema(configJsonSchema() as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(value).success;
}

Deno.test("configJsonSchema() is of draft 2020-12 and plain JSON", () => {
  const schema = configJsonSchema();
  assertEquals(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  assertEquals(JSON.parse(JSON.stringify(schema)), schema);
});

Deno.test("configJsonSchema() describes every setting", () => {
  assert(properties.length > 100, `${properties.length} settings`);
  const bare = properties.filter(([, { description }]) =>
    typeof description !== "string" || description.length < 10
  );
  assertEquals(bare.map(([path]) => path), []);
});

Deno.test("configJsonSchema() gives durations a pattern and their default as a string", () => {
  const found = new Map(properties);
  for (const [path, written] of [["hub.stall_timeout", "15s"], ["backends.*.retry.min", "100ms"]]) {
    const { type, pattern, default: fallback } = found.get(path ?? "") ?? {};
    assertEquals([type, fallback], ["string", written]);
    assert(typeof pattern === "string");
    assert(new RegExp(pattern).test("250ms") && new RegExp(pattern).test("${PACE}"));
    assert(!new RegExp(pattern).test("5 s"));
  }
});

Deno.test("configJsonSchema() accepts the example", () => {
  assert(accepts(parse(EXAMPLE_CONFIG)));
});

Deno.test("configJsonSchema() requires what has no default, and nothing else", () => {
  assert(accepts({}));
  assert(accepts({ backends: { core: CORE }, sources: [SOURCE] }));
  const { method: _, ...incomplete } = SOURCE;
  assert(!accepts({ sources: [incomplete] }));
  assert(!accepts({ backends: { core: { transport: "json-rpc" } } }));
});

Deno.test("configJsonSchema() refuses what the reader refuses", () => {
  const wrong: readonly unknown[] = [
    { listn: "127.0.0.1:1" },
    { listen: 8787 },
    { listen: ":8787" },
    { hub: { heartbeat_every: 10 } },
    { hub: { heartbeat_every: "10 s" } },
    { hub: { max_clients: 0 } },
    { backends: { core: { ...CORE, transport: "soap" } } },
    { backends: { core: { ...CORE, url: "ftp://x" } } },
    { backends: { "Core 1": CORE } },
    { backends: { "${NAME}": CORE } }, // variables stand in values, not in keys
    { backends: { here: { transport: "host", url: "http://x" } } },
    { sources: [{ ...SOURCE, channel: "Ops" }] },
    { log: { level: "loud" } },
  ];
  for (const value of wrong) assert(!accepts(value), JSON.stringify(value));
});

Deno.test("configJsonSchema() lets variables stand where strings do", () => {
  assert(accepts({
    listen: "${HOST}:8787",
    backends: { core: { ...CORE, url: "${CORE_URL}", timeout: "${TIMEOUT}" } },
  }));
});
