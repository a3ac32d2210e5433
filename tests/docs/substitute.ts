/**
 * The text with every `from` replaced by its `to`, all occurrences.
 *
 * @throws {TypeError} If one is not there: then the document has changed, and its test must too.
 */
export function substitute(text: string, changes: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new TypeError(`Cannot replace "${from}" as it is not there`);
    result = result.replaceAll(from, to);
  }
  return result;
}
