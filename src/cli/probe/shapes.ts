/** What frames must look like: pure, and believing nothing. Every function returns faults in words. */
import { channelKind, isStatusChannel } from "../../protocol/channel.ts";
import { type ErrorCode, ERRORS } from "../../protocol/error_event.ts";

export type Json = Readonly<Record<string, unknown>>;

/** A frame as it came, known only to be an object with a type. */
export interface RawFrame {
  readonly type: string;
  readonly timestamp: unknown;
  readonly seq?: unknown;
  readonly data: unknown;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whole seconds since 1970, and not milliseconds taken for them. */
export function isUnixSeconds(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 1e11;
}

/** What a value looks like, shortened. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Frames for one client alone: they have no `seq`. */
const PRIVATE_TYPES: ReadonlySet<string> = new Set(["welcome", "pong", "subscribed"]);

/** The faults of a frame's envelope and, where its type is known, of its data. */
export function frameFaults(frame: RawFrame): string[] {
  const { type, timestamp, seq, data } = frame;
  const faults: string[] = [];
  if (!isUnixSeconds(timestamp)) {
    faults.push(`${type}: timestamp is ${shown(timestamp)}, not whole unix seconds`);
  }
  if (seq !== undefined && !(Number.isSafeInteger(seq) && Number(seq) > 0)) {
    faults.push(`${type}: seq is ${shown(seq)}, not a positive whole number`);
  }
  if (seq !== undefined && PRIVATE_TYPES.has(type)) {
    faults.push(`${type}: has a seq (${shown(seq)})`);
  }
  if (!isObject(data)) return [...faults, `${type}: data is ${shown(data)}, not an object`];
  return [...faults, ...dataFaults(type, data).map((fault) => `${type}: ${fault}`)];
}

function dataFaults(type: string, data: Json): string[] {
  if (type === "welcome") return []; // has a check of its own
  if (type === "heartbeat") return heartbeatFaults(data);
  if (type === "pong") return [];
  if (type === "subscribed") {
    return isNameList(data["channels"]) ? [] : ["channels is no list of names"];
  }
  if (type === "notification") return [];
  if (channelKind(type) === "hub") return errorFaults(data, type);
  return isStatusChannel(type) ? statusFaults(data) : [`"${type}" is no type of frame`];
}

function heartbeatFaults({ timestamp, clients_connected }: Json): string[] {
  const faults = isUnixSeconds(timestamp) ? [] : [`data.timestamp is ${shown(timestamp)}`];
  if (Number.isInteger(clients_connected) && Number(clients_connected) >= 1) return faults;
  return [
    ...faults,
    `clients_connected is ${shown(clients_connected)} although this client is one`,
  ];
}

/** Faults of an error event; `type` is the frame's, or `undefined` inside a status frame. */
export function errorFaults(event: Json, type?: string): string[] {
  const { code, message, details, timestamp, component, severity } = event;
  const row = typeof code === "string" && Object.hasOwn(ERRORS, code)
    ? ERRORS[code as ErrorCode]
    : undefined;
  if (row === undefined) return [`code is ${shown(code)}, which is none`];
  const faults: string[] = [];
  if (type !== undefined && row.type !== type) {
    faults.push(`${code} came as ${type}, not ${row.type}`);
  }
  if (component !== row.component) {
    faults.push(`${code} has the component ${shown(component)}, not "${row.component}"`);
  }
  if (severity !== row.severity) {
    faults.push(`${code} has the severity ${shown(severity)}, not "${row.severity}"`);
  }
  if (typeof message !== "string" || message === "") faults.push(`${code} has no message`);
  if (details !== undefined && typeof details !== "string") {
    faults.push(`${code}: details is no text`);
  }
  if (!isUnixSeconds(timestamp)) faults.push(`${code}: timestamp is ${shown(timestamp)}`);
  return faults;
}

/** Faults in the fields of a status value; whether they are true is another question. */
export function statusFaults(data: Json): string[] {
  const { is_stale, cached_at, age_ms } = data;
  const faults: string[] = [];
  if (!("data" in data)) faults.push("has no value");
  if (typeof is_stale !== "boolean") faults.push(`is_stale is ${shown(is_stale)}`);
  if (!isUnixSeconds(cached_at)) {
    faults.push(`cached_at is ${shown(cached_at)}, not whole unix seconds`);
  }
  if (typeof age_ms !== "number" || !(age_ms >= 0)) {
    faults.push(`age_ms is ${shown(age_ms)}, not milliseconds`);
  }
  return faults;
}

/** Faults of a welcome's data. */
export function welcomeFaults(data: unknown): string[] {
  if (!isObject(data)) return [`data is ${shown(data)}, not an object`];
  const faults: string[] = [];
  const expect = (name: string, isRight: (value: unknown) => boolean, right: string) => {
    if (!isRight(data[name])) faults.push(`${name} is ${shown(data[name])}, not ${right}`);
  };
  expect("session", isText, "a text");
  expect("epoch", isText, "a text");
  expect("seq", (seq) => Number.isSafeInteger(seq) && Number(seq) >= 0, "a whole number");
  expect("channels", isNameList, "a list of names");
  expect("heartbeat_ms", (ms) => typeof ms === "number" && ms > 0, "a positive number");
  expect("recovered", (value) => typeof value === "boolean", "true or false");
  expect("gap", (value) => typeof value === "boolean", "true or false");
  return faults;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isNameList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
