/**
 * Structured logs: a stable event name and fields, one line each. LogTape does the work; this is
 * the only file that knows it.
 */
import { configureSync, getLogger, type LogRecord, resetSync } from "@logtape/logtape";
import { escapeControls } from "./escape_controls.ts";
import { LineWriter } from "./line_writer.ts";

export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

export const LOG_FORMATS = ["json", "pretty"] as const;
export type LogFormat = typeof LOG_FORMATS[number];

/** Fields of a log line; names are stable (`client_id`, `channel`, `backend`, `code`, `duration_ms`). */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one event of one room. Event names are `thing.happened` and never change lightly. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warning(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** The log of a room, such as `hub` or `feed`. Silent until {@linkcode startLogs} is called. */
export function logOf(room: string): Log {
  const logger = getLogger(["holdfast", room]);
  return {
    debug: (event, fields) => logger.debug(event, { ...fields }),
    info: (event, fields) => logger.info(event, { ...fields }),
    warning: (event, fields) => logger.warning(event, { ...fields }),
    error: (event, fields) => logger.error(event, { ...fields }),
  };
}

export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  /**
   * Put the level in front of each line as the journal reads it (sd-daemon(3)); it takes it off
   * again, so that `journalctl -p warning` finds the lines and their text stays JSON. Default false.
   */
  journal?: boolean;
  /** Fields that every line has. Default: none. */
  fields?: LogFields;
  /** Where lines go, without their newline; must not block. Default: standard error. */
  write?: (line: string) => void;
}

/** How long the default way to standard error gets for what waits, once disposed of, in milliseconds. */
const FLUSH_MS = 500;

/**
 * Starts writing logs, or changes how they are written from now on. Disposing of the result makes
 * the logs silent again.
 */
export function startLogs(options: LogOptions): AsyncDisposable {
  const { level, format, journal = false, fields } = options;
  const stderr = options.write === undefined ? new LineWriter(Deno.stderr) : undefined;
  const write = options.write ?? ((line) => stderr?.write(line));
  const renderRecord = format === "json" ? renderJson : renderPretty;
  const renderLine = fields === undefined
    ? renderRecord
    : (record: LogRecord) =>
      renderRecord({ ...record, properties: { ...fields, ...record.properties } });
  const render = journal
    ? (record: LogRecord) => `<${JOURNAL_PRIORITY[record.level]}>${renderLine(record)}`
    : renderLine;
  // In one go: a stop may come while a reload is under way, and both change the same.
  configureSync({
    reset: true,
    sinks: { lines: (record) => write(render(record)) },
    loggers: [
      { category: "holdfast", lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
  return {
    async [Symbol.asyncDispose]() {
      resetSync();
      await stderr?.flush(FLUSH_MS);
    },
  };
}

/** Levels as syslog(3) numbers them. */
const JOURNAL_PRIORITY: Readonly<Record<LogRecord["level"], number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warning: 4,
  error: 3,
  fatal: 2,
};

function eventOf(record: LogRecord): string {
  return record.message.join("");
}

function roomOf(record: LogRecord): string {
  return record.category.at(-1) ?? "";
}

function renderJson(record: LogRecord): string {
  const line = {
    time: new Date(record.timestamp).toISOString(),
    level: record.level,
    room: roomOf(record),
    event: eventOf(record),
  };
  // A field must not pass itself off as the event or its time: the line's own names win.
  return escapeControls(encode({ ...line, ...record.properties, ...line }));
}

/** JSON text of a line's fields; a field that has none is named as such, the others stay. */
function encode(fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(fields, presentable);
  } catch {
    const shown = Object.entries(fields).map(([key, value]) => [key, encodable(value)]);
    return JSON.stringify(Object.fromEntries(shown));
  }
}

/** The value as JSON would show it, or a remark if it cannot (a cycle, a throwing `toJSON`). */
function encodable(value: unknown): unknown {
  try {
    const text = JSON.stringify(value, presentable);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return "[cannot be shown]";
  }
}

/** Forms for what JSON has none for, or only an empty one. */
function presentable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}

function renderPretty(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString().slice(11, 23);
  const head = `${time} ${record.level.padEnd(7)} ${roomOf(record)}: ${eventOf(record)}`;
  const fields = Object.entries(record.properties)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) =>
      `${plain(key)}=${typeof value === "string" ? plain(value) : textOf(value)}`
    );
  return escapeControls([head, ...fields].join("  "));
}

/** Words that are shown as they are. What could be taken for another field is put into quotes. */
const WORD = /^[\p{L}\p{N}_.,:;/@%+*?!#&~…-]+$/u;

function plain(text: string): string {
  return WORD.test(text) ? text : JSON.stringify(text);
}

function textOf(value: unknown): string {
  return JSON.stringify(encodable(value)) ?? plain(String(value));
}
