import { cut, formatNumber, formatPercent, labelOf, type Unit, unitOf } from "../format.ts";
import { type Column, type Field, type Part, type TableView, text, type View } from "./view.ts";

/** Most rows of a table, most columns, most fields of an object, most items of a plain list. */
export const MAX_ROWS = 500;
const MAX_COLUMNS = 12;
const MAX_FIELDS = 60;
const MAX_ITEMS = 20;

/** Parts of a value in sight; further ones are folded away. */
const MAX_PARTS = 3;

/** Longest text shown, in characters. */
const MAX_TEXT = 200;

/** Most items of an excerpt. */
const MAX_EXCERPT = 8;

/** How deep objects are shown as objects; what lies deeper is shown as an excerpt. */
const MAX_DEPTH = 3;

export type Dictionary = Readonly<Record<string, unknown>>;

export function isDictionary(value: unknown): value is Dictionary {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface ViewOptions {
  /** The key the value stands at. Default: "value". */
  key?: string;
  depth?: number;
  /** What numbers count whose keys do not tell. */
  unit?: Unit | undefined;
}

/** Any value as a view, going by nothing but its shape and its keys' endings. */
export function viewOf(value: unknown, options: ViewOptions = {}): View {
  const { key = "value", depth = 0, unit } = options;
  if (Array.isArray(value)) return listView(value, key, depth);
  if (isDictionary(value)) {
    return depth < MAX_DEPTH ? objectView(value, depth, unit) : excerpt(value);
  }
  return scalarView(value, key, unit);
}

/** A text, number or truth value. */
export function scalarView(value: unknown, key: string, own?: Unit): View {
  switch (typeof value) {
    case "number": {
      const unit = unitOf(key, value, own);
      return unit === "ratio"
        ? { kind: "bar", ratio: value, text: formatPercent(value), label: labelOf(key) }
        : text(formatNumber(value, unit));
    }
    case "string":
      return text(value === "" ? "(empty)" : cut(value, MAX_TEXT));
    case "boolean":
      return text(value ? "yes" : "no");
    default:
      return { kind: "text", text: "–", isMuted: true };
  }
}

export interface TableOptions {
  /** Names the table for those who cannot see it. */
  title: string;
  /** Keys of the columns; default: those of the rows, up to eight. */
  keys?: readonly string[];
  labels?: Readonly<Record<string, string>>;
}

/** A list of objects as a table; what is more than 500 rows is cut and counted. */
export function tableOf(rows: readonly Dictionary[], options: TableOptions): TableView {
  const shown = rows.slice(0, MAX_ROWS);
  const present = new Set(shown.flatMap((row) => Object.keys(row)));
  const { title, labels = {}, keys = [...present].slice(0, MAX_COLUMNS) } = options;
  const used = keys.filter((key) => present.has(key));
  const columns = used.map((key): Column => ({
    // A backend may call a column `constructor`, which every object has.
    label: (Object.hasOwn(labels, key) ? labels[key] : undefined) ?? labelOf(key),
    isNumber: shown.every((row) => row[key] === undefined || isPlainNumber(row[key], key)),
  }));
  return {
    kind: "table",
    title,
    columns,
    rows: shown.map((row) => used.map((key) => cellView(row[key], key))),
    cutRows: rows.length - shown.length,
  };
}

function isPlainNumber(value: unknown, key: string): boolean {
  return typeof value === "number" && unitOf(key, value) !== "ratio";
}

function cellView(value: unknown, key: string): View {
  return typeof value === "object" && value !== null ? excerpt(value) : scalarView(value, key);
}

function listView(list: readonly unknown[], key: string, depth: number): View {
  if (list.length === 0) return { kind: "text", text: "none", isMuted: true };
  if (depth > MAX_DEPTH) return excerpt(list);
  if (list.every(isDictionary)) return tableOf(list, { title: labelOf(key) });
  const items = list.slice(0, MAX_ITEMS).map((item) => briefly(item, key));
  const more = list.length > MAX_ITEMS ? ` and ${list.length - MAX_ITEMS} more` : "";
  return text(items.join(", ") + more);
}

/** An object: its scalars as fields, then its objects and lists below their names. */
function objectView(value: Dictionary, depth: number, unit?: Unit): View {
  const entries = Object.entries(value);
  const fields: Field[] = [];
  const parts: Part[] = [];
  const labels = new Set<string>();
  for (const [key, each] of entries.slice(0, MAX_FIELDS)) {
    const short = labelOf(key);
    const label = labels.has(short) ? labelOf(key, { full: true }) : short;
    labels.add(label);
    const view = viewOf(each, { key, depth: depth + 1, unit });
    if (view.kind === "text" || view.kind === "bar") fields.push({ label, view });
    else parts.push({ title: label, view });
  }
  const cutFields = entries.length - MAX_FIELDS;
  if (cutFields > 0) fields.push({ label: "Not shown", view: text(`${cutFields} more fields`) });
  if (entries.length === 0) return { kind: "text", text: "nothing", isMuted: true };
  if (parts.length === 0) return { kind: "fields", fields };
  if (depth === 0 && parts.length > MAX_PARTS) {
    const rest = parts.splice(MAX_PARTS - 1);
    parts.push({ title: "More", view: { kind: "stack", parts: rest }, isFolded: true });
  }
  const own: Part[] = fields.length > 0 ? [{ view: { kind: "fields", fields } }] : [];
  return { kind: "stack", parts: [...own, ...parts] };
}

/**
 * What is too deep to be laid out: the beginning of what it holds, one level of it. Not its JSON:
 * that would be made in full first, and cannot be made at all of what is nested deep enough.
 */
function excerpt(value: unknown): View {
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_EXCERPT).map((item) => briefly(item, ""));
    return text(cut(`[${items.join(", ")}${value.length > MAX_EXCERPT ? ", …" : ""}]`, MAX_TEXT));
  }
  if (!isDictionary(value)) return scalarView(value, "");
  const keys = Object.keys(value);
  const items = keys.slice(0, MAX_EXCERPT)
    .map((key) => `${labelOf(key)}: ${briefly(value[key], key)}`);
  return text(cut(items.join(", ") + (keys.length > MAX_EXCERPT ? ", …" : ""), MAX_TEXT));
}

function briefly(value: unknown, key: string): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : `[${value.length}]`;
  if (isDictionary(value)) return "…";
  const view = scalarView(value, key);
  return "text" in view ? view.text : "";
}
