import type { Source } from "./sources/source.ts";

/** Whether a source is looked for: each word is somewhere in what it is called, or why it fails. */
export function matches(source: Source, text: string): boolean {
  const { channel, title, group = "", backend = "", reason = "", standing } = source;
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return true;
  const within = [channel, title, group, backend, reason, standing].join("\n").toLowerCase();
  return words.every((word) => within.includes(word));
}
