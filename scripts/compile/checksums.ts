/** Name of the file that lists checksums, in the form that `sha256sum --check` reads. */
export const CHECKSUMS = "SHA256SUMS";

/**
 * Enters files of `directory` into its list of checksums. Others in the list stay if they are still
 * there; lines are sorted by name, so that the same files give the same list.
 *
 * @returns The checksum of each file, as hexadecimal digits.
 */
export async function recordChecksums(
  directory: string,
  names: readonly string[],
): Promise<Map<string, string>> {
  const sums = await readChecksums(directory);
  for (const name of sums.keys()) {
    if (!(await exists(`${directory}/${name}`))) sums.delete(name);
  }
  const added = new Map<string, string>();
  for (const name of names) added.set(name, await sha256(`${directory}/${name}`));
  for (const [name, sum] of added) sums.set(name, sum);
  const lines = [...sums].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, sum]) => `${sum}  ${name}\n`);
  await Deno.writeTextFile(`${directory}/${CHECKSUMS}`, lines.join(""));
  return added;
}

async function readChecksums(directory: string): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(`${directory}/${CHECKSUMS}`).catch(() => "");
  const lines = text.matchAll(/^([0-9a-f]{64}) [ *]([^/\n]+)$/gm);
  return new Map([...lines].map(([, sum = "", name = ""]) => [name, sum]));
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
