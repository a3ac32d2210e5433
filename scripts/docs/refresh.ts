/**
 * Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->` by the table of that name.
 *
 * @throws {TypeError} If a table has no place in the text.
 */
export function refreshed(text: string, tables: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [name, table] of Object.entries(tables)) {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!place.test(result)) {
      throw new TypeError(`Cannot place the table as the text has no <!-- ${name} -->`);
    }
    result = result.replace(
      place,
      (_all, start: string, end: string) => `${start}\n${table}\n\n${end}`,
    );
  }
  return result;
}

/** A table in Markdown; columns are as wide as their widest cell, as the formatter has them. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, 3, ...rows.map((row) => row[at]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, at) => (cells[at] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
