import { assert, assertEquals, assertFalse } from "../support/assert.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { suggest } from "../../src/config/suggest.ts";
import { CORE, linesOf, READERS, SOURCE } from "./support.ts";

Deno.test("C40: one misspelt key is one problem", () => {
  const one: readonly (readonly [value: unknown, start: string, likely: string])[] = [
    [{ backend: { core: CORE }, sources: [SOURCE] }, "backend", "backends"],
    [
      { backends: { core: CORE }, sources: [{ ...SOURCE, channel: undefined, chanel: "a" }] },
      "sources[0].chanel",
      "channel",
    ],
    [
      { backends: { core: CORE }, sources: [{ ...SOURCE, backend: undefined, bakend: "core" }] },
      "sources[0].bakend",
      "backend",
    ],
    [
      { backends: { core: { transprot: "json-rpc", url: CORE.url } } },
      "backends.core.transprot",
      "transport",
    ],
    [{ backends: { core: { transport: "json-rpc", ulr: CORE.url } } }, "backends.core.ulr", "url"],
    [{ auth: { tokens: [{ name: "a", tokn: "t0ken" }] } }, "auth.tokens[0].tokn", "token"],
    [{ auth: { jwt: { jkws_url: "https://x/jwks" } } }, "auth.jwt.jkws_url", "jwks_url"],
    [{ hub: { heartbeat_evry: "5s" } }, "hub.heartbeat_evry", "heartbeat_every"],
    [{ port: 8787 }, "port", "listen"],
    [
      { backends: { core: { transport: "http-json", endpoint: "http://x" } } },
      "backends.core.endpoint",
      "url",
    ],
    [{ backends: { core: { type: "grpc", url: "http://x" } } }, "backends.core.type", "transport"],
  ];
  for (const [value, start, likely] of one) {
    const lines = linesOf(value);
    assertEquals(lines.length, 1, lines.join("\n"));
    assert(lines[0]?.startsWith(`${start}: found an unknown key; expected `), lines[0]);
    assert(lines[0]?.endsWith(`did you mean "${likely}"?`), lines[0]);
  }
});

Deno.test("C40: what stands below a misspelt key is checked as well", () => {
  assertEquals(linesOf({ hbu: { max_clients: 0 } }).map((line) => line.split(":")[0]), [
    "hbu",
    "hub.max_clients",
  ]);
});

Deno.test("C40: a key that is not near any other, or whose neighbour is there already, is unknown", () => {
  assertEquals(linesOf({ hub: { fancy: 1 } })[0]?.includes("did you mean"), false);
  const lines = linesOf({ log: { level: "info", leve: "debug" } });
  assertEquals(lines.length, 1);
});

Deno.test("C40: two letters that changed places are one slip", () => {
  assertEquals(suggest("ulr", ["url", "key"]), "url");
  assertEquals(suggest("hbu", ["hub", "log"]), "hub");
  assertEquals(suggest("ab", ["cd"]), undefined);
});

Deno.test("C40: transports are suggested by the names that people bring", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["http", "http-json"],
    ["REST", "http-json"],
    ["jsonrpc", "json-rpc"],
    ["JSON_RPC", "json-rpc"],
    ["gprc", "grpc"],
    ["local", "host"],
    ["EventSource", "sse"],
  ];
  for (const [transport, likely] of cases) {
    const [line = "", ...more] = linesOf({ backends: { core: { ...CORE, transport } } })
      .filter((each) => each.startsWith("backends.core.transport"));
    assertEquals(more, []);
    assert(line.endsWith(`did you mean "${likely}"?`), line);
  }
  assertFalse(
    linesOf({ backends: { core: { ...CORE, transport: "carrier pigeon" } } })
      .join().includes("did you mean"),
  );
});

Deno.test("C40: a name of the hub's own is said to be one", () => {
  for (const channel of ["heartbeat", "welcome", "notification"]) {
    const [line = ""] = linesOf({ backends: { core: CORE }, sources: [{ ...SOURCE, channel }] });
    assert(line.includes(`"${channel}"`) && line.includes("another name: the hub's own are"), line);
  }
});

function placesOf(text: string, format: "jsonc" | "yaml"): string[] {
  const parsed = parseConfig(text, { reader: READERS[format], env: {}, name: "f" });
  if (parsed.ok) return [];
  return parsed.problems.map(({ line, column, path }) => `${line}:${column} ${path}`);
}

Deno.test("C40: every problem has line and column, of meaning too", () => {
  const json = `{
  "hub": {
    "max_clients": 0, "unknown_thing": 1
  },
  "backends": { "Bad Name": { "transport": "host" } },
  "sources": [
    { "channel": "a", "backend": "nobody", "method": "m", "every": "soon" },
    { "channel": "b", "method": "m" }
  ]
}`;
  assertEquals(placesOf(json, "jsonc"), [
    "3:20 hub.max_clients",
    "3:23 hub.unknown_thing",
    '5:17 backends["Bad Name"]',
    "7:34 sources[0].backend",
    "7:68 sources[0].every",
    "8:5 sources[1].backend",
  ]);
  const yaml = `hub:
  max_clients: 0
backends:
  core: &core
    transport: json-rpc
    url: nowhere
  other:
    <<: *core
    timeout: soon
sources:
  - channel: a
    backend: nobody
`;
  assertEquals(placesOf(yaml, "yaml"), [
    "2:16 hub.max_clients",
    "6:10 backends.core.url",
    "6:10 backends.other.url",
    "9:14 backends.other.timeout",
    "11:5 sources[0].method",
    "12:14 sources[0].backend",
  ]);
});
