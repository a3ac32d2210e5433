import type { Problem } from "./problems.ts";

/** How a configuration is written. */
export type Format = "jsonc" | "yaml";

/** A file's text and how it is written, or why there is none. */
export type FileText =
  | { readonly ok: true; readonly text: string; readonly format: Format }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Largest configuration file, in bytes; a larger one is refused unread. */
export const MAX_FILE_BYTES = 1024 * 1024;

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ["json", "jsonc"],
  ["jsonc", "jsonc"],
  ["yaml", "yaml"],
  ["yml", "yaml"],
]);

/** Reads the text of a configuration file. Never throws. */
export async function readConfigText(file: string): Promise<FileText> {
  const extension = /\.([A-Za-z]+)$/.exec(file)?.[1]?.toLowerCase() ?? "";
  const format = FORMATS.get(extension);
  if (format === undefined) {
    return bad(file, "a file name with another ending", ".json, .jsonc, .yaml or .yml");
  }
  const read = await readText(file);
  return typeof read === "string" ? { ok: true, text: read, format } : bad(file, ...read);
}

/** What was found in place of a file's text, and what was expected. Never quotes the file's name. */
export type NoText = readonly [found: string, expected: string];

/** The text of a file that a configuration needs. Never throws. */
export async function readText(file: string): Promise<string | NoText> {
  let bytes: Uint8Array | undefined;
  try {
    // Asked before opening: to open a pipe would wait for whoever writes to it.
    const { isDirectory, isFile } = await Deno.stat(file);
    if (isDirectory) return ["a directory", "a file"];
    if (!isFile) return ["a device or a pipe", "a regular file"];
    bytes = await readBounded(file);
  } catch (error) {
    return [whyUnreadable(error), "a file that can be read"];
  }
  if (bytes === undefined) {
    return [`more than ${MAX_FILE_BYTES} bytes`, `at most ${MAX_FILE_BYTES}`];
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return ["bytes that are not UTF-8", "text in UTF-8"];
  }
}

/** The whole file; `undefined` if it is too large. */
async function readBounded(file: string): Promise<Uint8Array | undefined> {
  using handle = await Deno.open(file);
  const buffer = new Uint8Array(MAX_FILE_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const read = await handle.read(buffer.subarray(length));
    if (read === null) return buffer.subarray(0, length);
    length += read;
  }
  return undefined;
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "a file that may not be read";
  if (error instanceof Deno.errors.NotCapable) {
    return "a file that this process was not allowed to read (--allow-read)";
  }
  if (error instanceof Deno.errors.NotADirectory) return "no such file";
  return "a file that cannot be read";
}

function bad(where: string, found: string, expected: string): FileText {
  return { ok: false, problems: [{ where, found, expected }] };
}
