import { asText, cut, labelOf, type Unit, unitOf } from "../format.ts";
import { type Dictionary, isDictionary } from "../values/shape.ts";

/** A number worth drawing over time. */
export interface Reading {
  readonly name: string;
  readonly value: number;
}

/** The numbers of one moment that share a unit. */
interface Readings {
  readonly unit: Unit;
  readonly list: readonly Reading[];
}

/** A number worth drawing over time, and what it counts: lines of one unit share an axis. */
export interface NumberNow extends Reading {
  readonly unit: Unit;
}

/** Most lines of one unit, and so in one chart: more could not be told apart. */
export const MAX_LINES = 3;

/** Most numbers of one channel. */
const MAX_NUMBERS = 8;

/** How deep numbers are looked for, and how many keys are looked at. */
const MAX_DEPTH = 3;
const MAX_KEYS = 200;

/** Longest name of a line, in characters. */
const MAX_NAME = 32;

/** Units in the order in which they are worth drawing; any other one comes before them. */
const WORTH: readonly Unit[] = [
  "ratio",
  "bytes_per_second",
  "per_second",
  "bytes",
  "plain",
  "seconds",
  "milliseconds",
];

type Picker = (value: Dictionary) => Readings | undefined;

const PICKERS: Readonly<Record<string, Picker>> = {
  system_status: ({ cpu, memory }) =>
    ratios([
      reading("CPU", cpu, "usage_ratio"),
      reading("Memory", memory, "used_ratio"),
    ]),
  storage_update: ({ filesystems }) => {
    if (!Array.isArray(filesystems)) return undefined;
    const list = filesystems.slice(0, MAX_KEYS).map((each) =>
      isDictionary(each) ? reading(asText(each.mount_point, "?"), each, "used_ratio") : undefined
    );
    return ratios(list);
  },
  agent_status: ({ agents }) => {
    if (!Array.isArray(agents)) return undefined;
    const speeds = agents.slice(0, MAX_KEYS).map((each) =>
      isDictionary(each) && typeof each.bytes_per_second === "number" ? each.bytes_per_second : 0
    );
    const value = speeds.reduce((sum, each) => sum + each, 0);
    return { unit: "bytes_per_second", list: [{ name: "Together", value }] };
  },
  compression_update: (value) => {
    const list = ["queued", "compressing"].flatMap((key) =>
      reading(labelOf(key), value, key) ?? []
    );
    return list.length > 0 ? { unit: "plain", list } : undefined;
  },
};

/**
 * The numbers of a value that are drawn over time, the most telling first: chosen for the well-known
 * channels, else the first ones of each unit. The hub keeps these, and the page adds to them.
 *
 * @param own What the channel's numbers count whose names do not tell.
 */
export function numbersOf(channel: string, value: unknown, own: Unit = "plain"): NumberNow[] {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return [];
    return [{ name: labelOf(channel), unit: unitOf(channel, value, own), value }];
  }
  if (!isDictionary(value)) return [];
  const pick = Object.hasOwn(PICKERS, channel) ? PICKERS[channel] : undefined;
  const picked = pick?.(value);
  const groups = picked === undefined ? byUnit(value, own) : [picked];
  return groups.flatMap(({ unit, list }) => list.map((each) => ({ ...each, unit })))
    .slice(0, MAX_NUMBERS);
}

function ratios(list: readonly (Reading | undefined)[]): Readings | undefined {
  const found = list.filter((each) => each !== undefined).slice(0, MAX_LINES);
  return found.length > 0 ? { unit: "ratio", list: found } : undefined;
}

function reading(name: string, of: unknown, key: string): Reading | undefined {
  const value = isDictionary(of) ? of[key] : undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  return { name: cut(name, MAX_NAME), value };
}

/** The numbers of a value by what they count. */
function byUnit(value: Dictionary, own: Unit): Readings[] {
  const found = new Map<Unit, Reading[]>();
  let looked = 0;
  function look(of: Dictionary, path: readonly string[]): void {
    for (const [key, each] of Object.entries(of)) {
      if ((looked += 1) > MAX_KEYS) return;
      if (isDictionary(each) && path.length + 1 < MAX_DEPTH) look(each, [...path, key]);
      if (typeof each !== "number" || !Number.isFinite(each)) continue;
      const unit = unitOf(key, each, own);
      const list = found.get(unit) ?? [];
      if (unit === "moment" || list.length >= MAX_LINES) continue;
      const name = cut([...path, key].map((part) => labelOf(part)).join(" "), MAX_NAME);
      if (!list.some((reading) => reading.name === name)) list.push({ name, value: each });
      found.set(unit, list);
    }
  }
  look(value, []);
  return [...found].map(([unit, list]) => ({ unit, list }))
    .toSorted((a, b) => WORTH.indexOf(a.unit) - WORTH.indexOf(b.unit));
}
