import {
  CHANNEL_GRAMMAR,
  ERROR_TYPES,
  EVENT_CHANNEL,
  HUB_CHANNELS,
} from "../../protocol/channel.ts";
import { COMPONENTS, ERROR_CODES, SEVERITIES } from "../../protocol/error_event.ts";

/** What the document says of the hub it comes from. */
export interface AsyncApiOptions {
  version: string;
  /** `host:port` under which the hub was asked. */
  host: string;
  isSecure: boolean;
  /** The status channels there are. */
  statusChannels: readonly string[];
  /** Of which channels it speaks. Default: all. */
  mayRead?: (channel: string) => boolean;
}

type SchemaObject = Readonly<Record<string, unknown>>;

const text: SchemaObject = { type: "string" };
const unixSeconds: SchemaObject = { type: "integer", description: "Unix seconds." };
const milliseconds: SchemaObject = { type: "number", minimum: 0, description: "Milliseconds." };
const channelNames: SchemaObject = { type: "array", items: text };

/**
 * The protocol of `/ws` and `/events` as an AsyncAPI 3.0 document (asyncapi.com/docs/reference),
 * made from the tables the code itself runs on. `send` is what the hub sends.
 */
export function asyncApi(options: AsyncApiOptions): object {
  const { version, host, isSecure, statusChannels, mayRead = () => true } = options;
  const channels = statusChannels.filter(mayRead);
  const fromHub = [
    "welcome",
    "status",
    "status_delta",
    EVENT_CHANNEL,
    "error",
    "heartbeat",
    "pong",
    "subscribed",
  ];
  const fromClient = ["subscribe", "unsubscribe", "ping"];
  const names = [...fromHub, ...fromClient];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Holdfast",
      version,
      description:
        "Live values with the truth about their age. Text frames, one JSON object each; " +
        "with batch=1 a frame may be a list of them.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: {
      hub: { host, protocol: isSecure ? "wss" : "ws", description: "This hub." },
    },
    channels: {
      ws: {
        address: "/ws",
        title: "WebSocket",
        messages: refs(names, "#/components/messages"),
        bindings: { ws: { method: "GET", query: querySchema(channels, mayRead) } },
      },
    },
    operations: {
      frames: operation("send", fromHub),
      messages: operation("receive", fromClient),
    },
    components: { messages: messages(channels), schemas: schemas() },
  };
}

function operation(action: "send" | "receive", names: readonly string[]): object {
  return {
    action,
    channel: { $ref: "#/channels/ws" },
    messages: names.map((name) => ({ $ref: `#/channels/ws/messages/${name}` })),
  };
}

function refs(names: readonly string[], at: string): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `${at}/${name}` }]));
}

function querySchema(
  channels: readonly string[],
  mayRead: (channel: string) => boolean,
): SchemaObject {
  const all = [...channels, ...[EVENT_CHANNEL, ...HUB_CHANNELS].filter(mayRead)].join(", ");
  return {
    type: "object",
    properties: {
      channels: { type: "string", description: `Comma-separated; default all. There are: ${all}.` },
      token: { type: "string", description: "A token; better sent as a header or subprotocol." },
      session: { type: "string", description: "To resume: the earlier welcome's session." },
      epoch: { type: "string", description: "To resume: the earlier welcome's epoch." },
      since: { type: "integer", description: "To resume: the last seq received." },
      batch: { type: "string", enum: ["1"], description: "Several frames may share one list." },
      delta: { type: "string", enum: ["1"], description: "Of values, what changed: status_delta." },
    },
  };
}

function messages(channels: readonly string[]): object {
  return {
    welcome: {
      ...frame(["welcome"], {
        session: text,
        epoch: text,
        seq: { type: "integer", minimum: 0 },
        channels: channelNames,
        heartbeat_ms: milliseconds,
        recovered: { type: "boolean" },
        gap: { type: "boolean" },
        previous_close: { type: "string", enum: ERROR_CODES },
      }, ["previous_close"]),
      summary: "The first frame; one among several hubs sends another when its numbering changes.",
    },
    status: {
      ...frame(channels, {
        data: { description: "The value, as the backend gave it." },
        is_stale: { type: "boolean" },
        cached_at: unixSeconds,
        age_ms: milliseconds,
        error: { $ref: "#/components/schemas/errorEvent" },
      }, ["error"]),
      summary: "The latest value of a status channel, with the truth about its age.",
    },
    status_delta: {
      ...frame(channels, {
        rev: { type: "integer", minimum: 1, description: "Counts the values of the channel." },
        data: { description: "The value; absent where `same` or `patch` stands for it." },
        same: { type: "boolean", const: true, description: "It is that of the frame before." },
        base: { type: "integer", minimum: 1, description: "The rev that `patch` leads from." },
        patch: { type: "array", items: { $ref: "#/components/schemas/patchOperation" } },
        is_stale: { type: "boolean" },
        cached_at: unixSeconds,
        age_ms: milliseconds,
        error: { $ref: "#/components/schemas/errorEvent" },
      }, ["error", "data", "same", "base", "patch"]),
      summary: "The same with delta=1: the value, or what leads to it from the one before.",
    },
    [EVENT_CHANNEL]: frame([EVENT_CHANNEL], {
      title: text,
      body: text,
      level: text,
    }, ["title", "body", "level"]),
    error: {
      payload: envelope(ERROR_TYPES, { $ref: "#/components/schemas/errorEvent" }),
      summary: "What went wrong, or is right again.",
    },
    heartbeat: frame(["heartbeat"], {
      timestamp: unixSeconds,
      clients_connected: { type: "integer", minimum: 0, description: "Clients of this hub." },
      cluster_clients_connected: {
        type: "integer",
        minimum: 0,
        description: "Clients of all hubs of the cluster; absent for a hub by itself.",
      },
    }, ["cluster_clients_connected"]),
    pong: frame(["pong"], { id: { type: ["string", "number"] } }, ["id"]),
    subscribed: frame(["subscribed"], { channels: channelNames }),
    subscribe: fromClient("subscribe", { channels: channelNames }, ["channels"]),
    unsubscribe: fromClient("unsubscribe", { channels: channelNames }, ["channels"]),
    ping: fromClient("ping", { id: { type: ["string", "number"] } }, []),
  };
}

/** A frame whose data is an object; all its properties are there but the `optional` ones. */
function frame(
  types: readonly string[],
  properties: Readonly<Record<string, SchemaObject>>,
  optional: readonly string[] = [],
): { payload: SchemaObject } {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { payload: envelope(types, { type: "object", properties, required }) };
}

function envelope(types: readonly string[], data: SchemaObject): SchemaObject {
  return {
    type: "object",
    properties: {
      type: { type: "string", enum: types },
      timestamp: unixSeconds,
      seq: { type: "integer", description: "Absent on frames for one client alone." },
      data,
    },
    required: ["type", "timestamp", "data"],
  };
}

function fromClient(
  type: string,
  properties: Readonly<Record<string, SchemaObject>>,
  required: readonly string[],
): object {
  return {
    payload: {
      type: "object",
      properties: { type: { type: "string", const: type }, ...properties },
      required: ["type", ...required],
    },
  };
}

function schemas(): object {
  return {
    channel: {
      type: "string",
      pattern: "^[a-z][a-z0-9_]{0,63}$",
      description: `${CHANNEL_GRAMMAR}.`,
    },
    patchOperation: {
      type: "object",
      description: "A step of a JSON Patch (RFC 6902).",
      properties: {
        op: { type: "string", enum: ["add", "remove", "replace"] },
        path: { type: "string", description: "A JSON Pointer (RFC 6901)." },
        value: { description: "Absent where something is removed." },
      },
      required: ["op", "path"],
    },
    errorEvent: {
      type: "object",
      properties: {
        code: { type: "string", enum: ERROR_CODES },
        message: text,
        details: text,
        timestamp: unixSeconds,
        component: { type: "string", enum: COMPONENTS },
        severity: { type: "string", enum: SEVERITIES },
        data: { type: "object" },
      },
      required: ["code", "message", "timestamp", "component", "severity"],
    },
  };
}
