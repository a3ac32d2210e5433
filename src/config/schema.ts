/**
 * The one schema of the configuration: types, defaults, checks and the JSON Schema all come from
 * it. What no single field can know (names that must exist elsewhere) is in cross_checks.ts.
 */
import * as z from "zod";
import {
  CHANNEL_GRAMMAR,
  EVENT_CHANNEL,
  HUB_CHANNELS,
  isStatusChannel,
  RESERVED_TYPES,
} from "../protocol/channel.ts";
import { LONGEST, type Milliseconds } from "./duration.ts";
import { choice, duration, filePath, nonEmpty, section, text, yesOrNo } from "./fields.ts";
import { reloads, secret, SettingMap, withTraits } from "./traits.ts";
import { listenSchema } from "./listen.ts";
import { compileExpression } from "../selection/expression.ts";
import { authSchema } from "./schema_auth.ts";
import { clusterSchema } from "./schema_cluster.ts";
import { displaySettings } from "./schema_display.ts";
import { hookSchema } from "./schema_hooks.ts";
import { stateSchema } from "./schema_state.ts";
import { hubSchema } from "./schema_hub.ts";
import { backendSchema, headerRecord } from "./schema_backends.ts";

export type { Listen } from "./listen.ts";
export type { Milliseconds };

/** The levels of `telemetry/log.ts`; this room does not know that one, so a test compares them. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;
export const LOG_FORMATS = ["json", "pretty"] as const;

const STATUS_CHANNEL = `a channel name (${CHANNEL_GRAMMAR}) that is not one of the hub's own`;

/** A value is not called stale before this age, unless the source says so. */
const LEAST_STALE_AFTER: Milliseconds = 15_000;
const POLLS_UNTIL_STALE = 3;

/** Names that are channels or frames already. */
const RESERVED: readonly string[] = [EVENT_CHANNEL, ...HUB_CHANNELS, ...RESERVED_TYPES];

const NOT_RESERVED = `another name: the hub's own are ${RESERVED.join(", ")}`;

const statusChannel = z.string({ error: STATUS_CHANNEL })
  .refine(isStatusChannel, {
    error: ({ input }) => RESERVED.includes(String(input)) ? NOT_RESERVED : STATUS_CHANNEL,
  })
  .meta({ pattern: "^[a-z][a-z0-9_]{0,63}$" });

/** A JMESPath expression, compiled to see whether it can be. */
const expression = nonEmpty("a JMESPath expression").superRefine((text, context) => {
  const compiled = compileExpression(text);
  if (compiled.ok) return;
  const { why, at } = compiled;
  const message = `a JMESPath expression (${why}, at character ${at})`;
  context.addIssue({ code: "custom", message });
});

export const sourceSchema = section({
  channel: statusChannel.exactOptional()
    .describe("The status channel it feeds; each channel has one source."),
  channels: z.record(statusChannel, expression, {
    error: "an object of channel names and JMESPath expressions",
  }).exactOptional().describe(
    "Instead of channel: several of them, each with the JMESPath expression that selects its value " +
      "from the answer. One that gives nothing is a failed poll of its channel alone.",
  ),
  select: expression.exactOptional()
    .describe("Of one channel: the JMESPath expression that selects its value from the answer."),
  backend: nonEmpty("the name of a backend").describe("Name of the backend to ask."),
  method: withTraits(nonEmpty("a method's name"), { query: true })
    .describe("What to call; for http-json a path, for grpc package.Service/Method."),
  params: secret(z.unknown()).default({}).describe("Parameters of the call: any JSON value."),
  http_method: choice(["GET", "POST"]).exactOptional().describe(
    "For http-json: GET puts the params into the query, POST sends them as a JSON body. Default: GET.",
  ),
  headers: headerRecord.exactOptional()
    .describe("For json-rpc and http-json: sent beside the backend's headers, which they replace."),
  stream: yesOrNo().default(false).describe(
    "For grpc and sse: the values come by themselves, each message is one. The stream is kept open.",
  ),
  every: duration({ min: 10 }).prefault("5s").describe(
    "Time between two polls; for a stream, between two frames that say that its value is stale.",
  ),
  stale_after: duration().exactOptional()
    .describe("Age from which the value counts as stale. Default: 15s or 3 polls, if longer."),
  ...displaySettings,
}).superRefine(({ channel, channels, select, title }, context) => {
  const problem = (path: string, message: string, found: string) =>
    context.addIssue({ code: "custom", path: [path], message, params: { found } });
  if (channel === undefined && channels === undefined) {
    problem("channel", `"channel", or "channels"`, "neither");
  }
  if (channels === undefined) return;
  if (channel !== undefined) problem("channels", `"channel" or "channels"`, "both");
  if (select !== undefined) problem("select", `no "select" beside "channels"`, "both");
  if (title !== undefined) {
    problem("title", `no "title" beside "channels", which have names of their own`, "both");
  }
  if (Object.keys(channels).length === 0) problem("channels", "at least one channel", "none");
}).transform(({ stale_after, channel = "", channels, select, ...rest }) => {
  const common = {
    ...rest,
    // A slow source must not be called stale between two polls of its own.
    stale_after: stale_after ??
      Math.min(LONGEST, Math.max(LEAST_STALE_AFTER, POLLS_UNTIL_STALE * rest.every)),
  };
  if (channels === undefined) {
    return [fedChannel(common, { channel, ...(select === undefined ? {} : { select }) })];
  }
  const [first] = Object.keys(channels);
  return Object.entries(channels).map(([name, expression]) =>
    fedChannel(common, { channel: name, select: expression, shares_poll_of: first ?? name })
  );
});

/** One channel that a source feeds, as the rest of the house sees sources. */
interface Fed {
  channel: string;
  /** The JMESPath expression that selects its value. Absent: the whole answer. */
  select?: string;
  /** Of a source of several channels: the first of them, the same for all. */
  shares_poll_of?: string;
}

function fedChannel<Common>(common: Common, fed: Fed): Common & Fed {
  return { ...common, ...fed };
}

/** No timer waits for it: a published value may hold for a year. */
const LONGEST_PUBLISHED: Milliseconds = 366 * 86_400_000;

const publishedChannel = section({
  stale_after: duration({ max: LONGEST_PUBLISHED }).exactOptional()
    .describe("Age from which the value counts as stale: nobody published. Default: never."),
  ...displaySettings,
});

const ORIGIN = `an origin: scheme://host or scheme://host:port, without a path`;

/** As browsers send it: lower case, no default port, no slash at the end. */
const origin = text(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/?#@*]+$/, ORIGIN)
  .refine((value) => URL.canParse(value), { error: ORIGIN })
  .transform((value) => {
    const { protocol, host } = new URL(value);
    return `${protocol}//${host}`.toLowerCase();
  });

const HOST = `a host name such as "hub.example.com", without a scheme, port or path`;

const host = text(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/, HOST)
  .refine((value) => URL.canParse(`http://${value}`), { error: HOST })
  .transform((value) => value.toLowerCase().replace(/\.$/, ""));

const tls = section({
  cert: reloads(filePath("certificate", "a path of a PEM file"))
    .describe("PEM file of the certificate and its chain."),
  key: reloads(filePath("private_key", "a path of a PEM file"))
    .describe("PEM file of the private key."),
});

const shutdown = section({
  drain: duration({ min: 0, max: 3_600_000 }).prefault("3s")
    .describe("The most that waiting frames get to be sent on the way down."),
  reconnect_within: duration({ min: 0, max: 3_600_000 }).prefault("5s")
    .describe("Clients are told to come back at different times within this long."),
}).prefault({}).describe("How the hub goes down.");

const log = section({
  level: reloads(choice([...LOG_LEVELS, "warn"])).default("info")
    .transform((level) => level === "warn" ? "warning" : level)
    .describe("The least severe lines written; warn is warning."),
  format: choice(LOG_FORMATS).default("json")
    .describe("json: one object a line. Where nothing says it: pretty on a terminal."),
}).prefault({}).describe("Log lines on standard error.");

/** Each costs memory whether it has clients or not; so many cores are seldom there for one hub. */
export const MOST_WORKERS = 64;
const WORKERS = `a number of threads from 1 to ${MOST_WORKERS}, or "auto"`;

/** A number also as a string: so it comes from the command line and from the environment. */
const workersSchema = z.union([
  z.literal("auto", { error: WORKERS }),
  z.int({ error: WORKERS }).min(1, { error: WORKERS }).max(MOST_WORKERS, { error: WORKERS }),
  z.string().regex(/^(?:[1-9]|[1-5]\d|6[0-4])$/, { error: WORKERS }).transform(Number),
], { error: WORKERS }).default(1)
  .describe('Threads that serve clients; "auto": one a core.');

export const configSchema = section({
  $schema: z.string({ error: "a string" }).exactOptional()
    .describe("For editors: where the JSON Schema of this file is. Holdfast ignores it."),
  listen: listenSchema.prefault("127.0.0.1:8787").describe("Where to listen: HOST:PORT."),
  backends: reloads(z.record(
    z.string().meta({ pattern: "^[a-z][a-z0-9_-]{0,63}$" }),
    backendSchema,
    { error: "an object of names and backends" },
  )).default({}).describe("Who is asked, by name."),
  sources: reloads(z.array(sourceSchema, { error: "a list of sources" }))
    .transform((sources) => sources.flat())
    .prefault([])
    .describe("What is asked, and the channel each answer feeds. None: publish only."),
  channels: reloads(z.record(
    z.string().meta({ pattern: "^[a-z][a-z0-9_]{0,63}$" }),
    publishedChannel,
    { error: "an object of channel names and settings" },
  )).default({}).describe("Status channels that are published on by POST /publish, by name."),
  state: stateSchema,
  workers: workersSchema,
  hooks: reloads(z.array(hookSchema, { error: "a list of hooks" })).default([])
    .describe("Who is told of incidents, by POST."),
  hub: hubSchema,
  auth: reloads(authSchema),
  origins: reloads(z.array(origin, { error: "a list of origins" })).default([])
    .describe("Origins of web pages that may connect. None listed: same origin only."),
  hosts: reloads(z.array(host, { error: "a list of host names" })).default([]).describe(
    "Host names it answers to while it has no auth; IP addresses, localhost and the machine's " +
      "own name always.",
  ),
  tls: tls.exactOptional().describe("Serve https:// and wss:// with this certificate."),
  trust_proxy: yesOrNo().default(false)
    .describe(
      "Take the client's address from X-Forwarded-For, and its scheme from X-Forwarded-Proto.",
    ),
  cluster: clusterSchema.exactOptional().describe(
    "Share one stream among several hubs, over NATS.",
  ),
  shutdown,
  log,
}).meta({ title: "Holdfast configuration" });

/** What is known of each setting beside its form, by path. */
export const SETTINGS: SettingMap = new SettingMap(configSchema);

/** A checked configuration: the keys of the file, durations as numbers of milliseconds. */
export type Config = Omit<z.output<typeof configSchema>, "$schema">;

export type BackendConfig = Config["backends"][string];
export type SourceConfig = Config["sources"][number];
export type HubConfig = Config["hub"];
export type AuthConfig = Config["auth"];
export type TokenConfig = AuthConfig["tokens"][number];
export type JwtConfig = AuthConfig["jwt"][number];
export type TlsConfig = NonNullable<Config["tls"]>;
export type ClusterConfig = NonNullable<Config["cluster"]>;
export type HookConfig = Config["hooks"][number];
export type ShutdownConfig = Config["shutdown"];
export type LogConfig = Config["log"];
