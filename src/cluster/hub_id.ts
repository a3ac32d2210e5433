/** What of a host's name a broker's subjects and everybody's logs can hold. */
const UNFIT = /[^A-Za-z0-9._-]/g;

/** Length of what makes an id one hub's own, however many have its name. */
const SUFFIX_LENGTH = 8;

/**
 * Names one life of one hub: its name, which tells people which machine it is, and behind that what
 * tells it from other hubs on that machine and from the one that ran there before.
 */
export function hubIdOf(name: string): string {
  const fit = name.replaceAll(UNFIT, "-") || "hub";
  return `${fit}/${crypto.randomUUID().slice(0, SUFFIX_LENGTH)}`;
}

/** The name in an id; all of it where a hub of before this version made it. */
export function hubNameOf(id: string): string {
  const at = id.lastIndexOf("/");
  return at < 0 ? id : id.slice(0, at);
}
