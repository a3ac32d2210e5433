import type { Rights } from "./identity.ts";

/** A pattern in which each `*` stands for any text, none included; everything else for itself. */
function matches(pattern: string, name: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return name === pattern;
  const tail = parts.pop() ?? "";
  if (!name.startsWith(head) || !name.endsWith(tail)) return false;
  // The leftmost place of each part leaves the most room for those behind it.
  let at = head.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - tail.length;
}

/** The right to read channels by a list of their names and patterns such as `agent_*`. */
export function readerOf(
  channels: readonly string[],
): Pick<Rights, "mayRead" | "readsAll" | "reads"> {
  if (channels.includes("*")) return { mayRead: () => true, readsAll: true, reads: ["*"] };
  const names = new Set(channels.filter((channel) => !channel.includes("*")));
  const patterns = channels.filter((channel) => channel.includes("*"));
  return {
    mayRead: (channel) =>
      names.has(channel) || patterns.some((pattern) => matches(pattern, channel)),
    readsAll: false,
    reads: channels,
  };
}
