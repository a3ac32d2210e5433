/** Numbers as people read them: the unit comes from the ending of a value's key. */

/** What a number means, where this page knows how that is written. */
export type KnownUnit =
  | "bytes"
  | "bytes_per_second"
  | "per_second"
  | "ratio"
  | "seconds"
  | "milliseconds"
  | "moment"
  | "plain";

/** A unit of the configuration's own may be any word. */
export type Unit = KnownUnit | (string & Record<never, never>);

/** Endings that name a unit, the more telling ones first. */
const ENDINGS: readonly (readonly [ending: RegExp, unit: KnownUnit])[] = [
  [/(^|_)bytes_per_second$/, "bytes_per_second"],
  [/_per_second$/, "per_second"],
  [/(^|_)bytes$/, "bytes"],
  [/(^|_)ratio$/, "ratio"],
  [/_seconds$/, "seconds"],
  [/_(ms|milliseconds)$/, "milliseconds"],
  [/(^|_)(at|since|until|seen|timestamp)$/, "moment"],
];

/** Unix seconds between 2001 and 2096: outside of these a number is no point in time. */
const MOMENTS = { from: 1e9, to: 4e9 } as const;

/** @param own The channel's own unit, for numbers whose key tells none. */
export function unitOf(key: string, value: number, own: Unit = "plain"): Unit {
  const unit = ENDINGS.find(([ending]) => ending.test(key))?.[1] ?? own;
  if (unit === "moment") return value > MOMENTS.from && value < MOMENTS.to ? "moment" : "plain";
  // What calls itself a ratio and is none is shown as it is, not as a bar that overflows.
  if (unit === "ratio") return value >= 0 && value <= 1 ? "ratio" : "plain";
  return unit;
}

export function formatNumber(value: number, unit: Unit): string {
  switch (unit) {
    case "bytes":
      return formatBytes(value);
    case "bytes_per_second":
      return `${formatBytes(value)}/s`;
    case "per_second":
      return `${formatPlain(value)}/s`;
    case "ratio":
      return formatPercent(value);
    case "seconds":
      return formatDuration(value * 1000);
    case "milliseconds":
      return Math.abs(value) < 1000 ? `${formatPlain(value)} ms` : formatDuration(value);
    case "moment":
      return formatMoment(value);
    case "plain":
      return formatPlain(value);
    default:
      return `${formatPlain(value)} ${unit}`;
  }
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** Three digits that mean something: `1.50 GiB`, `15.0 GiB`, `150 GiB`. */
export function formatBytes(bytes: number): string {
  let rest = Math.abs(bytes);
  let step = 0;
  // 1023.5 and up would round to a fourth digit.
  while (rest >= 1023.5 && step < BYTE_UNITS.length - 1) {
    rest /= 1024;
    step += 1;
  }
  const digits = step === 0 ? 0 : rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0;
  return `${bytes < 0 ? "−" : ""}${rest.toFixed(digits)} ${BYTE_UNITS[step] ?? ""}`;
}

/** A share between 0 and 1; what is not quite all or nothing does not look so. */
export function formatPercent(ratio: number): string {
  const percent = ratio * 100;
  if (percent > 0 && percent < 1) return "< 1 %";
  if (percent > 99 && percent < 100) return "> 99 %";
  return `${Math.round(percent)} %`;
}

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

export function formatPlain(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 0.005)) return value.toExponential(2);
  return plain.format(value);
}

/** The two largest parts of a time: `12 s`, `5 min`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return parts(`${minutes} min`, seconds % 60, "s");
  if (hours < 24) return parts(`${hours} h`, minutes % 60, "min");
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function parts(large: string, rest: number, unit: string): string {
  return rest === 0 ? large : `${large} ${String(rest).padStart(2, "0")} ${unit}`;
}

/** What was asked where, as the hub's errors begin. */
const CALL = /^((?:health check: )?(?:GET|POST) \S+(?: [^\s:]+)?): ([^]+)$/;

/** A reason as people say it: what is wrong comes first, milliseconds are seconds and minutes. */
export function inWords(text: string): string {
  const [, call, why] = CALL.exec(text) ?? [];
  const ordered = call === undefined ? text : `${why} (${call})`;
  return ordered.replace(/\b(\d{4,12}) ms\b/g, (_all, ms) => formatDuration(Number(ms)));
}

/** Where the reader's times are: `UTC+01:00, Europe/Berlin`. */
export function timeZone(now = new Date()): string {
  const minutes = -now.getTimezoneOffset();
  const two = (value: number) => String(value).padStart(2, "0");
  const size = Math.abs(minutes);
  const offset = `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  const { timeZone: name } = Intl.DateTimeFormat().resolvedOptions();
  return name === undefined || name === "UTC" ? offset : `${offset}, ${name}`;
}

/** Unix seconds as the reader's own time of day, with the date if it is not today's. */
export function formatMoment(unixSeconds: number, now = new Date()): string {
  const date = new Date(unixSeconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** Endings that the unit of the number already tells. */
const TOLD_BY_UNIT = /_(bytes_per_second|per_second|bytes|ratio|seconds|ms|at)$/;

/** Words that are written in capitals. */
const CAPITALS = new Set(["cpu", "id", "ip", "os", "rpc", "url", "uuid", "io", "gpu"]);

/** A key as people would write it: `used_bytes` is `Used`, `cpu_count` is `CPU count`. */
export function labelOf(key: string, options: { full?: boolean } = {}): string {
  const words = (options.full ? key : key.replace(TOLD_BY_UNIT, "")).split(/[_\s]+/)
    .filter((word) => word !== "")
    .map((word) => CAPITALS.has(word.toLowerCase()) ? word.toUpperCase() : word)
    .join(" ");
  return cut(words === "" ? key : words.charAt(0).toUpperCase() + words.slice(1), MAX_LABEL);
}

/** Longest label, in characters. */
const MAX_LABEL = 60;

/** An untrusted value as text; anything but a text or a number as what stands in for it. */
export function asText(value: unknown, otherwise: string): string {
  return typeof value === "string" || typeof value === "number" ? `${value}` : otherwise;
}

/** Cuts a text that is too long and says so with an ellipsis. */
export function cut(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters - 1)}…` : text;
}
