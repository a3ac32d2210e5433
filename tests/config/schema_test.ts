import { type Config, LOG_FORMATS, LOG_LEVELS, type TokenConfig } from "../../src/config/schema.ts";
import { LOG_FORMATS as FORMATS, LOG_LEVELS as LEVELS } from "../../src/telemetry/log.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { configOf, CORE, linesOf, SOURCE } from "./support.ts";

const BACKEND_DEFAULTS = {
  timeout: 5000,
  retry: { attempts: 2, min: 100, max: 2000 },
  breaker: { failures: 3, open_for: 30_000, max_open_for: 300_000 },
  health_check: { every: 10_000, timeout: 5000 },
  max_in_flight: 8,
  max_response_bytes: 8_388_608,
};

Deno.test("configSchema has the defaults that users rely on", () => {
  const expected: Config = {
    listen: { hostname: "127.0.0.1", port: 8787 },
    backends: {},
    sources: [],
    channels: {},
    state: { incidents_for: 7_776_000_000 },
    workers: 1,
    hooks: [],
    hub: {
      heartbeat_every: 10_000,
      ping_every: 30_000,
      max_clients: 10_000,
      max_clients_per_ip: 0,
      request_timeout: 10_000,
      max_message_bytes: 65_536,
      messages_per_second: 20,
      outbox_messages: 256,
      high_water_bytes: 65_536,
      stall_timeout: 15_000,
      max_buffered_bytes: 268_435_456,
      history_messages: 1000,
      history_for: 300_000,
    },
    auth: { tokens: [], jwt: [] },
    origins: [],
    hosts: [],
    trust_proxy: false,
    shutdown: { drain: 3000, reconnect_within: 5000 },
    log: { level: "info", format: "json" },
  };
  assertEquals(configOf({}), expected);
});

Deno.test("configSchema gives every backend its defaults, by transport", () => {
  const { backends } = configOf({
    backends: {
      core: CORE,
      files: { transport: "http-json", url: "https://x/api/" },
      jobs: { transport: "grpc", url: "http://x:1" },
      here: { transport: "host" },
    },
  });
  const { core, files, jobs, here } = backends;
  assertEquals(core, { ...CORE, headers: {}, proxy: "none", batch: false, ...BACKEND_DEFAULTS });
  assertEquals(files, {
    transport: "http-json",
    url: "https://x/api/",
    headers: {},
    proxy: "none",
    redirects: "same_host",
    ...BACKEND_DEFAULTS,
  });
  assertEquals(jobs, {
    transport: "grpc",
    url: "http://x:1",
    headers: {},
    ...BACKEND_DEFAULTS,
  });
  assertEquals(here, { transport: "host", ...BACKEND_DEFAULTS });
});

Deno.test("configSchema gives parts of a section the other parts' defaults", () => {
  const { hub, log } = configOf({ hub: { max_clients: 5 }, log: { format: "pretty" } });
  assertEquals([hub.max_clients, hub.messages_per_second], [5, 20]);
  assertEquals(log, { level: "info", format: "pretty" });
});

Deno.test("configSchema sets stale_after to 15s or three polls, the longer one", () => {
  function staleAfter(source: object): number | undefined {
    return configOf({ backends: { core: CORE }, sources: [{ ...SOURCE, ...source }] })
      .sources[0]?.stale_after;
  }
  assertEquals(staleAfter({}), 15_000);
  assertEquals(staleAfter({ every: "1s" }), 15_000);
  assertEquals(staleAfter({ every: "1m" }), 180_000);
  assertEquals(staleAfter({ every: "1m", stale_after: "1s" }), 1000);
});

Deno.test("configSchema takes any JSON as params", () => {
  for (const params of [{ a: [1, null] }, [1, 2], "text", 0, false, null]) {
    const { sources } = configOf({
      backends: { core: CORE },
      sources: [{ ...SOURCE, params }],
    });
    assertEquals(sources[0]?.params, params);
  }
});

Deno.test("configSchema gives a token all channels and no leave to publish", () => {
  const expected: TokenConfig = {
    name: "a",
    token: "t0ken",
    channels: ["*"],
    publish: false,
    metrics: false,
  };
  assertEquals(configOf({ auth: { tokens: [{ name: "a", token: "t0ken" }] } }).auth.tokens, [
    expected,
  ]);
});

Deno.test("configSchema writes origins as browsers send them", () => {
  const origins = ["https://Ops.Example.com", "https://a:443", "http://b:8080"];
  assertEquals(configOf({ origins }).origins, [
    "https://ops.example.com",
    "https://a",
    "http://b:8080",
  ]);
});

Deno.test("configSchema takes warn for warning", () => {
  assertEquals(configOf({ log: { level: "warn" } }).log.level, "warning");
});

Deno.test("configSchema knows the levels and formats of the log", () => {
  assertEquals<readonly string[]>(LOG_LEVELS, LEVELS);
  assertEquals<readonly string[]>(LOG_FORMATS, FORMATS);
});

Deno.test("configSchema lets an editor's $schema pass and drops it", () => {
  assertEquals("$schema" in configOf({ $schema: "./holdfast.schema.json" }), false);
});

Deno.test("configSchema takes cluster, tls and jwt", () => {
  const config = configOf({
    cluster: { nats: "nats://user:pw@127.0.0.1:4222" },
    tls: { cert: "a.pem", key: "a.key" },
    auth: { jwt: { jwks_url: "https://id/jwks" } },
  });
  assertEquals(config.cluster, {
    nats: "nats://user:pw@127.0.0.1:4222",
    name: "holdfast",
    lease: 5000,
    grace: 15_000,
    tell_losses: "hub",
    share_port: false,
  });
  assertEquals(config.tls, { cert: "a.pem", key: "a.key" });
  const jwt = { jwks_url: "https://id/jwks", clock_skew: 30_000, keep_keys_for: 86_400_000 };
  assertEquals(config.auth.jwt, [jwt]);
});

Deno.test("configSchema takes one NATS server, or a list with one login", () => {
  const lists = [
    ["nats://a:4222"],
    ["tls://a", "tls://b:4223/"],
    ["nats://u:pw@a", "nats://b", "nats://u:pw@c"],
    ["nats://[::1]:4222"],
  ];
  for (const nats of lists) assertEquals(configOf({ cluster: { nats } }).cluster?.nats, nats);
});

/** What is wrong, and how the one line about it begins. */
const WRONG: readonly (readonly [unknown, string])[] = [
  [{ listn: "127.0.0.1:1" }, "listn: found an unknown key; expected one of $schema, listen,"],
  [{ hub: [] }, "hub: found a list; expected an object with the keys heartbeat_every,"],
  [{ hub: null }, "hub: found null; expected an object"],
  [{ hub: { max_clients: 0 } }, "hub.max_clients: found 0; expected a whole number from 1 to"],
  [{ hub: { max_clients: 1.5 } }, "hub.max_clients: found 1.5; expected a whole number"],
  [{ hub: { max_clients: "5" } }, 'hub.max_clients: found "5"; expected a whole number'],
  [{ hub: { max_message_bytes: 2 ** 30 } }, "hub.max_message_bytes: found 1073741824; expected"],
  [{ hub: { max_clients: 1e300 } }, "hub.max_clients: found 1e+300; expected a whole number"],
  [{ trust_proxy: "yes" }, 'trust_proxy: found "yes"; expected true or false'],
  [{ sources: {} }, "sources: found an object; expected a list of sources"],
  [{ backends: [] }, "backends: found a list; expected an object of names and backends"],
  [
    { backends: { core: "x" } },
    'backends.core: found a string; expected an object with "transport"',
  ],
  [
    { backends: { core: { url: "http://x" } } },
    "backends.core.transport: found nothing (it is missing); expected one of json-rpc, http-json,",
  ],
  [
    { backends: { core: { ...CORE, transport: "jsonrpc" } } },
    'backends.core.transport: found "jsonrpc"; expected one of json-rpc, http-json, grpc, sse, host; ' +
    'did you mean "json-rpc"?',
  ],
  [
    { backends: { core: { transport: "json-rpc" } } },
    "backends.core.url: found nothing (it is missing); expected a URL that starts with http://",
  ],
  [
    { backends: { core: { ...CORE, url: "x" } } },
    "backends.core.url: found a string; expected a URL",
  ],
  [
    { backends: { core: { ...CORE, url: "ftp://x" } } },
    'backends.core.url: found "ftp://x"; expected a URL that starts with http:// or https://',
  ],
  [{ backends: { core: { ...CORE, url: "http://x/#a" } } }, "backends.core.url: found"],
  [{ backends: { core: { ...CORE, url: " http://x" } } }, "backends.core.url: found"],
  [
    { backends: { here: { transport: "host", url: "http://x" } } },
    "backends.here.url: found an unknown key; expected one of transport, timeout,",
  ],
  [
    { backends: { core: { ...CORE, proto: "x" } } },
    "backends.core.proto: found an unknown key; expected one of transport, url,",
  ],
  [
    { backends: { "Core 1": CORE } },
    'backends["Core 1"]: found a name that is not allowed; expected a lower-case letter',
  ],
  [
    { backends: { core: { ...CORE, retry: { min: "5s" } } } },
    'backends.core.retry.min: found "5s"; expected at most "max", which is "2s"',
  ],
  [
    { backends: { core: { ...CORE, retry: { max: "1ms" } } } },
    'backends.core.retry.min: found "100ms"; expected at most "max", which is "1ms"',
  ],
  [
    { backends: { core: { ...CORE, breaker: { open_for: "10m" } } } },
    'backends.core.breaker.open_for: found "10m"; expected at most "max_open_for", which is "5m"',
  ],
  [
    { backends: { core: { ...CORE, retry: { attempts: 0 } } } },
    "backends.core.retry.attempts: found 0; expected a whole number from 1 to 100",
  ],
  [
    { backends: { g: { transport: "grpc", url: "https://x", tls: { cert: "a" } } } },
    'backends.g.tls.key: found nothing (it is missing); expected a file path: "cert" and "key"',
  ],
  [{ auth: { jwt: {} } }, 'auth.jwt: found neither; expected "jwks_url" or "secret"'],
  [
    { auth: { tokens: [{ name: "a", token: "xy", channels: ["Ops"] }] } },
    'auth.tokens[0].channels[0]: found "Ops"; expected a channel\'s name, a pattern such as "agent_*", or "*" for all',
  ],
  [{ origins: ["https://a/b"] }, 'origins[0]: found "https://a/b"; expected an origin'],
  [{ origins: ["*"] }, 'origins[0]: found "*"; expected an origin'],
  [{ origins: ["a.example"] }, 'origins[0]: found "a.example"; expected an origin'],
  [{ origins: ["https://u@a"] }, 'origins[0]: found "https://u@a"; expected an origin'],
  [{ tls: { key: "a" } }, "tls.cert: found nothing (it is missing); expected a path of a PEM"],
  [{ cluster: { nats: "http://x" } }, 'cluster.nats: found "http://x"; expected a URL that starts'],
  [{ cluster: {} }, "cluster.nats: found nothing (it is missing); expected a URL that starts with"],
  [{ cluster: { nats: 5 } }, "cluster.nats: found 5; expected a URL that starts with nats:// or"],
  [
    { cluster: { nats: [] } },
    "cluster.nats: found a list; expected a URL that starts with nats://",
  ],
  [
    { cluster: { nats: ["nats://a", "b"] } },
    "cluster.nats[1]: found a string; expected a URL that",
  ],
  [{ cluster: { nats: "ws://a" } }, 'cluster.nats: found "ws://a"; expected a URL that starts'],
  [
    { cluster: { nats: "nats://a,nats://b" } },
    'cluster.nats: found "nats://a,nats://b"; expected nats://host:port or tls://host:port of one',
  ],
  [{ cluster: { nats: "nats://a/b" } }, 'cluster.nats: found "nats://a/b"; expected nats://host'],
  [
    { cluster: { nats: ["nats://u:1@a", "nats://u:2@b"] } },
    "cluster.nats: found a list; expected one login for all servers: that of the first is used",
  ],
  [
    { cluster: { nats: "tls://a", cert: "hub.pem" } },
    'cluster.key: found nothing (it is missing); expected the path of a PEM file, as "cert" is set',
  ],
  [
    { cluster: { nats: "nats://u:1@a", credentials: "hub.creds" } },
    "cluster.nats: found a string; expected one way to log in",
  ],
  [
    { cluster: { nats: "nats://a", hub_name: "a b" } },
    "cluster.hub_name: found a string; expected up",
  ],
  [{ cluster: { nats: "nats://a", lease: "1ms" } }, 'cluster.lease: found "1ms"; expected a dur'],
  [
    { cluster: { nats: "nats://a", tell_losses: "all" } },
    'cluster.tell_losses: found "all"; expected one of hub, cluster',
  ],
  [{ log: { level: "inof" } }, 'log.level: found "inof"; expected one of debug, info, warning,'],
];

Deno.test("configSchema says of each wrong setting where, what and what is allowed", () => {
  for (const [value, start] of WRONG) {
    const lines = linesOf(value);
    assertEquals(lines.length, 1, JSON.stringify([value, lines]));
    assertEquals(lines[0]?.slice(0, start.length), start);
  }
});

Deno.test("configSchema refuses channels that are the hub's own or an event's", () => {
  for (const channel of ["heartbeat", "error", "welcome", "notification", "Ops", "", "1a"]) {
    const lines = linesOf({ backends: { core: CORE }, sources: [{ ...SOURCE, channel }] });
    assertEquals(lines.length, 1, channel);
    assertEquals(lines[0]?.startsWith("sources[0].channel: found "), true, lines[0]);
  }
});

Deno.test("C10: no duration is longer than what the platform can count", () => {
  for (const [key, longest] of [["stall_timeout", "12d"], ["ping_every", "24d"]] as const) {
    configOf({ hub: { [key]: longest } });
    assertEquals(
      linesOf({ hub: { [key]: longest.replace(/^\d+/, (days) => `${Number(days) + 1}`) } }).length,
      1,
    );
  }
  const timers = 2 ** 31;
  const { hub, sources } = configOf({
    backends: { core: CORE },
    sources: [{ ...SOURCE, every: "24d" }],
    hub: { stall_timeout: "12d" },
  });
  assert(2 * hub.stall_timeout < timers, "TCP_USER_TIMEOUT");
  assert(sources.every(({ every, stale_after }) => every < timers && stale_after < timers));
});
