/** What feeds each channel, in short: two hubs that say the same of a channel feed it alike. */
export type Feeds = Readonly<Record<string, string>>;

/** Channels that are named in a message, at most. */
const NAMED = 5;

/** Puts what feeds a channel in short. */
export function feedOf(source: { backend: string; method: string; params?: unknown }): string {
  const { backend, method, params = {} } = source;
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify([backend, method, params])) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}

/** Channels that are not fed alike, or by one of the two alone. */
export function differences(mine: Feeds, theirs: Feeds): string[] {
  const channels = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return [...channels].filter((channel) => mine[channel] !== theirs[channel]).sort();
}

/**
 * Why two hubs do not belong together; undefined if they do. While a configuration is rolled out hubs
 * differ in part, and the leader's goes. Two that feed nothing alike are two installations that were
 * given one name, and neither should serve the other's data.
 */
export function objection(mine: Feeds, theirs: Feeds): string | undefined {
  const [own, others] = [Object.keys(mine), Object.keys(theirs)];
  if (own.length === 0 || others.length === 0) return undefined; // it only publishes
  if (own.some((channel) => mine[channel] === theirs[channel])) return undefined;
  return `another installation has this cluster's name: it feeds ${list(others)}, this hub ` +
    `${list(own)}, and none alike; give one of the two another cluster.name`;
}

function list(channels: readonly string[]): string {
  const named = channels.slice(0, NAMED).join(", ");
  return channels.length > NAMED ? `${named} and ${channels.length - NAMED} more` : named;
}
