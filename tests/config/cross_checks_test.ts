import { assertEquals } from "../support/assert.ts";
import { configOf, CORE, linesOf, SOURCE } from "./support.ts";

const GRPC = { transport: "grpc", url: "http://127.0.0.1:50051" } as const;

Deno.test("crossCheck() names the backends there are", () => {
  assertEquals(linesOf({ backends: { core: CORE }, sources: [{ ...SOURCE, backend: "cor" }] }), [
    'sources[0].backend: found "cor", which is no backend; expected core; did you mean "core"?',
  ]);
  assertEquals(linesOf({ sources: [SOURCE] }), [
    'sources[0].backend: found "core", which is no backend; expected a name in "backends", which is empty',
  ]);
});

Deno.test("crossCheck() does not take a prototype's property for a backend", () => {
  const lines = linesOf({ sources: [{ ...SOURCE, backend: "constructor" }] });
  assertEquals(lines.length, 1);
  configOf({
    backends: { constructor: CORE },
    sources: [{ ...SOURCE, backend: "constructor" }],
  });
});

Deno.test("crossCheck() refuses two sources of one channel", () => {
  assertEquals(linesOf({ backends: { core: CORE }, sources: [SOURCE, SOURCE] }), [
    'sources[1].channel: found "system_status", as in sources[0]; expected a channel of its own: ' +
    "no two sources may share one",
  ]);
});

Deno.test("crossCheck() refuses two tokens of one name, or one token under two names", () => {
  const one = { name: "a", token: "t0ken-a" };
  assertEquals(linesOf({ auth: { tokens: [one, { name: "a", token: "t0ken-b" }] } }), [
    'auth.tokens[1].name: found "a", as in auth.tokens[0]; expected a name of its own: ' +
    "no two tokens may share one",
  ]);
  assertEquals(linesOf({ auth: { tokens: [one, { name: "b", token: "t0ken-a" }] } }), [
    "auth.tokens[1].token: found a string, as in auth.tokens[0]; expected a token of its own: " +
    "no two tokens may share one",
  ]);
});

Deno.test("crossCheck() knows the methods of the host transport", () => {
  assertEquals(
    linesOf({
      backends: { here: { transport: "host", health_check: { method: "Ping" } } },
      sources: [{ ...SOURCE, backend: "here", method: "GetStorag" }],
    }),
    [
      'backends.here.health_check.method: found "Ping"; expected one of GetSystemStatus, GetStorage',
      'sources[0].method: found "GetStorag"; expected one of GetSystemStatus, GetStorage; ' +
      'did you mean "GetStorage"?',
    ],
  );
});

Deno.test("crossCheck() wants a proto for every gRPC method but the health check", () => {
  const source = { ...SOURCE, backend: "jobs", method: "jobs.v1.Jobs/List" };
  assertEquals(linesOf({ backends: { jobs: GRPC }, sources: [source] }), [
    "backends.jobs.proto: found nothing (it is missing); expected a path of the .proto file that " +
    'describes "jobs.v1.Jobs/List"',
  ]);
  configOf({ backends: { jobs: { ...GRPC, proto: "jobs.proto" } }, sources: [source] });
  configOf({
    backends: { jobs: GRPC },
    sources: [{ ...source, method: "grpc.health.v1.Health/Check" }],
  });
});

Deno.test("crossCheck() wants package.Service/Method from a gRPC source", () => {
  assertEquals(
    linesOf({
      backends: { jobs: { ...GRPC, proto: "jobs.proto" } },
      sources: [{ ...SOURCE, backend: "jobs", method: "List" }],
    }),
    ['sources[0].method: found "List"; expected "package.Service/Method"'],
  );
});

Deno.test("crossCheck() speaks up beside the schema's own problems", () => {
  const places = linesOf({
    hub: { max_clients: 0 },
    sources: [{ ...SOURCE, every: "x" }, SOURCE],
  }).map((line) => line.split(":")[0]);
  assertEquals(places, [
    "hub.max_clients",
    "sources[0].backend",
    "sources[0].every",
    "sources[1].channel",
    "sources[1].backend",
  ]);
});

Deno.test("C05: a proxy is none, the environment's, or a URL whose login no problem shows", () => {
  const lines = (proxy: string) =>
    linesOf({ backends: { core: { ...CORE, proxy } } }).filter((line) => line.includes("proxy"));
  for (const good of ["none", "environment", "http://p:3128", "https://me:pw@p", "socks5h://p:1"]) {
    assertEquals(lines(good), []);
  }
  for (const bad of ["", "env", "p:3128", "ftp://me:s3cret@p", "http://me:s3cret@p/path"]) {
    const [line = ""] = lines(bad);
    assertEquals([line.includes("expected"), line.includes("s3cret")], [true, false], line);
  }
});

Deno.test("crossCheck() names settings of a source that its backend's transport has no use for", () => {
  assertEquals(
    linesOf({
      backends: { core: CORE, here: { transport: "host" } },
      sources: [
        { channel: "a", backend: "core", method: "x", http_method: "POST", headers: { a: "b" } },
        { channel: "b", backend: "here", method: "GetStorage", headers: { a: "b" } },
      ],
    }),
    [
      'sources[0].http_method: found a backend of transport "json-rpc"; expected one of transport http-json',
      'sources[1].headers: found a backend of transport "host"; expected one of transport http-json or json-rpc or sse',
    ],
  );
});

Deno.test("crossCheck() knows who gives streams, and who gives nothing else", () => {
  const source = (channel: string, backend: string, stream?: boolean) => ({
    channel,
    backend,
    method: backend === "grpc" ? "a.B/C" : "x",
    ...(stream === undefined ? {} : { stream }),
  });
  assertEquals(
    linesOf({
      backends: {
        core: CORE,
        events: { transport: "sse", url: "http://127.0.0.1:1" },
        grpc: { transport: "grpc", url: "http://127.0.0.1:1", proto: "a.proto" },
      },
      sources: [
        source("a", "core", true),
        source("b", "core", false),
        source("c", "events"),
        source("d", "events", false),
        source("e", "events", true),
        source("f", "grpc", true),
        source("g", "grpc"),
      ],
    }),
    [
      'sources[0].stream: found a backend of transport "json-rpc"; expected one of transport grpc or sse',
      'sources[2].stream: found nothing (it is missing); expected true: a backend of transport "sse" gives nothing but streams',
      'sources[3].stream: found another value; expected true: a backend of transport "sse" gives nothing but streams',
    ],
  );
});

Deno.test("crossCheck() lets no two sources share a channel, in whichever way they name it", () => {
  const both = { backend: "core", method: "All" };
  assertEquals(
    linesOf({
      backends: { core: CORE },
      sources: [
        { ...both, channel: "a" },
        { ...both, channels: { b: "x", a: "y" } },
        { ...both, channels: { b: "z" } },
      ],
    }),
    [
      'sources[1].channels.a: found "a", as in sources[0]; expected a channel of its own: no two sources may share one',
      'sources[2].channels.b: found "b", as in sources[1]; expected a channel of its own: no two sources may share one',
    ],
  );
});

Deno.test("a source has channel or channels, with expressions that can be read", () => {
  const linesFor = (changes: object) =>
    linesOf({
      backends: { core: CORE },
      sources: [{ backend: "core", method: "All", ...changes }],
    });
  assertEquals(linesFor({}), [
    'sources[0].channel: found neither; expected "channel", or "channels"',
  ]);
  assertEquals(linesFor({ channel: "a", channels: { b: "x" } }), [
    'sources[0].channels: found both; expected "channel" or "channels"',
  ]);
  assertEquals(linesFor({ channels: { b: "x" }, select: "y" }), [
    'sources[0].select: found both; expected no "select" beside "channels"',
  ]);
  assertEquals(linesFor({ channels: {} }), [
    "sources[0].channels: found none; expected at least one channel",
  ]);
  assertEquals(linesFor({ channels: { b: "disks[].{name name}" } }), [
    'sources[0].channels.b: found "disks[].{name name}"; expected a JMESPath expression (expected Colon, got: UnquotedIdentifier, at character 15)',
  ]);
  assertEquals(linesFor({ channel: "a", select: "nope(@)" }), [
    'sources[0].select: found "nope(@)"; expected a JMESPath expression (there is no function nope(), at character 1)',
  ]);
  const [line = ""] = linesFor({ channels: { heartbeat: "x" } });
  assertEquals(line.startsWith("sources[0].channels.heartbeat: "), true, line);
});

Deno.test("a source of several channels is one entry for each, of one poll", () => {
  const { sources } = configOf({
    backends: { core: CORE },
    sources: [{ backend: "core", method: "All", every: "1m", channels: { b: "x", a: "y" } }],
  });
  assertEquals(
    sources.map(({ channel, select, shares_poll_of, stale_after }) => [
      channel,
      select,
      shares_poll_of,
      stale_after,
    ]),
    [["b", "x", "b", 180_000], ["a", "y", "b", 180_000]],
  );
});

Deno.test("crossCheck() wants channels to be published on to have names of their own", () => {
  const notAllowed = "found a name that is not allowed; expected a channel name (a lower-case " +
    "letter, then up to 63 lower-case letters, digits or underscores) that is not one of the hub's own";
  const channels = {
    system_status: {},
    heartbeat: {},
    No: {},
    backup_status: { stale_after: "26h" },
  };
  assertEquals(linesOf({ backends: { core: CORE }, sources: [SOURCE], channels }), [
    "channels.system_status: found a channel that sources[0] feeds; expected a channel of its own: " +
    '"channels" are those that are published on',
    `channels.heartbeat: ${notAllowed}`,
    `channels.No: ${notAllowed}`,
  ]);
});
