/** The right to read channels by a list of their names, in which "*" is all. */
export function readerOf(channels: readonly string[]): (channel: string) => boolean {
  if (channels.includes("*")) return () => true;
  const allowed = new Set(channels);
  return (channel) => allowed.has(channel);
}
