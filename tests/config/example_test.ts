import { parse } from "jsonc-parser";
import { EXAMPLE_CONFIG } from "../../src/config/example.ts";
import { configJsonSchema } from "../../src/config/json_schema.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { configOf } from "./support.ts";

const ENV = {
  CORE_TOKEN: "core-token",
  DASH_TOKEN: "dash-token",
  HOOK_SECRET: "hook-secret",
  HOOK_TOKEN: "hook-token",
  JWT_SECRET: "jwt-secret",
  NATS_SEED: `SU${"A".repeat(56)}`,
};

/** The example with the settings that have no default put in. */
const FULL = EXAMPLE_CONFIG.replaceAll(/^(\s*)\/\/(?=["{}[\],])/gm, "$1");

/** Placeholders: what the example sets although it is no default. */
const PLACEHOLDERS = new Set(["backends", "sources"]);

Deno.test("EXAMPLE_CONFIG is a configuration as it stands", () => {
  configOf(EXAMPLE_CONFIG);
});

Deno.test("EXAMPLE_CONFIG sets nothing but defaults, placeholders aside", () => {
  const [example, defaults] = [Object.entries(configOf(EXAMPLE_CONFIG)), configOf({})];
  for (const [key, value] of example.filter(([key]) => !PLACEHOLDERS.has(key))) {
    assertEquals(value, Object.entries(defaults).find(([name]) => name === key)?.[1], key);
  }
  const written = parse(EXAMPLE_CONFIG) as {
    backends: { core: { transport: string; url: string } };
    sources: { channel: string; backend: string; method: string }[];
  };
  const { transport, url } = written.backends.core;
  const bare = configOf({
    backends: { core: { transport, url }, this_machine: { transport: "host" } },
    sources: written.sources.map(({ channel, backend, method }) => ({ channel, backend, method })),
  });
  assertEquals(configOf(EXAMPLE_CONFIG).backends, bare.backends);
  assertEquals(configOf(EXAMPLE_CONFIG).sources, bare.sources);
});

Deno.test("EXAMPLE_CONFIG is still one with every comment taken away", () => {
  const config = configOf(FULL, { env: ENV });
  const { auth, origins, tls, cluster, backends, channels, state, hooks } = config;
  assertEquals(channels, {
    backup_status: { stale_after: 26 * 3_600_000, title: "Backup", group: "Nightly" },
  });
  assertEquals(state, { dir: "/var/lib/holdfast", incidents_for: 90 * 86_400_000 });
  const [{ headers, body, ...hook } = { headers: {} }] = hooks;
  assertEquals([headers, body], [{ authorization: "Bearer hook-token" }, { text: "{{text}}" }]);
  const { name, url, secret } = hooks[0] ?? {};
  const { headers: _none, ...bare } = configOf({ hooks: [{ name, url, secret }] }).hooks[0] ?? {};
  assertEquals(hook, bare);
  assertEquals(auth.tokens[0]?.token, "dash-token");
  assertEquals(auth.jwt[0]?.clock_skew, 30_000);
  assertEquals(origins, ["https://ops.example.com"]);
  assertEquals(tls, { cert: "hub.pem", key: "hub.key" });
  const { ca, cert, key, credentials, nkey, hub_name, ...rest } = cluster ?? {};
  assertEquals([ca, cert, key], ["nats-ca.pem", "hub.pem", "hub.key"]);
  assertEquals([credentials, nkey, hub_name], ["hub.creds", ENV.NATS_SEED, "hub-1"]);
  assertEquals(rest, configOf({ cluster: { nats: "nats://127.0.0.1:4222" } }).cluster);
  assertEquals(
    new Set(Object.values(backends).map(({ transport }) => transport)),
    new Set(["json-rpc", "http-json", "grpc", "sse", "host"]),
  );
});

Deno.test("EXAMPLE_CONFIG shows every setting there is", () => {
  const shown = keysOf(parse(FULL));
  const known = settingsOf(configJsonSchema());
  assert(known.size > 60, `${known.size} settings`);
  assertEquals([...known].filter((key) => !shown.has(key)), []);
});

/** Every key of an object and of what is in it. */
function keysOf(value: unknown): Set<string> {
  if (typeof value !== "object" || value === null) return new Set();
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return new Set([...own, ...Object.values(value).flatMap((each) => [...keysOf(each)])]);
}

/** Every name under a `properties` of a JSON Schema. */
function settingsOf(schema: unknown): Set<string> {
  if (typeof schema !== "object" || schema === null) return new Set();
  return new Set(
    Object.entries(schema).flatMap(([key, value]) => [
      ...(key === "properties" ? Object.keys(value) : []),
      ...settingsOf(value),
    ]),
  );
}
