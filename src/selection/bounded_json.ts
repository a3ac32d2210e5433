import type { JsonText } from "../protocol/codec.ts";
import { MAX_JSON_DEPTH } from "../protocol/json_scanner.ts";
import type { ExactValue } from "./exact_number.ts";

/** What was to be written has no end worth waiting for, or no form in JSON. */
export class NotWritable extends Error {}

/**
 * Writes a value as JSON, up to a number of characters. A selection may name one part many times
 * over, so that a small value in memory is an endless text.
 *
 * @throws {NotWritable} If it is longer, nested too deep, or holds what JSON has no text for.
 */
export function boundedJson({ value, exactKey }: ExactValue, maxCharacters: number): JsonText {
  const pieces: string[] = [];
  let left = maxCharacters;

  function add(text: string): void {
    left -= text.length;
    if (left < 0) throw new NotWritable(`it is longer than ${maxCharacters} characters`);
    pieces.push(text);
  }

  function write(value: unknown, depth: number): void {
    if (depth > MAX_JSON_DEPTH) {
      throw new NotWritable(`it is nested more than ${MAX_JSON_DEPTH} deep`);
    }
    if (Object.is(value, -0)) return add("-0");
    if (value === null || typeof value !== "object") {
      const isText = typeof value === "string" || typeof value === "boolean" || value === null ||
        Number.isFinite(value);
      if (!isText) throw new NotWritable("it holds what JSON has no text for");
      return add(JSON.stringify(value));
    }
    if (Array.isArray(value)) return writeList(value, depth);
    if (exactKey !== undefined && Object.hasOwn(value, exactKey)) {
      return add(String((value as Record<string, unknown>)[exactKey]));
    }
    add("{");
    let isFirst = true;
    for (const [key, member] of Object.entries(value)) {
      add(`${isFirst ? "" : ","}${JSON.stringify(key)}:`);
      write(member, depth + 1);
      isFirst = false;
    }
    add("}");
  }

  function writeList(list: readonly unknown[], depth: number): void {
    add("[");
    list.forEach((element, index) => {
      if (index > 0) add(",");
      write(element, depth + 1);
    });
    add("]");
  }

  write(value, 1);
  return pieces.join("") as JsonText;
}
