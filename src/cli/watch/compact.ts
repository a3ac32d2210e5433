import { printable } from "../printable.ts";
import { WrittenNumber } from "./written_number.ts";

/**
 * A value in few words, for one line of a terminal: the members of an object by name, what lies
 * deeper only by its size.
 */
export function compact(value: unknown): string {
  if (isScalar(value)) return scalar(value);
  if (Array.isArray(value)) {
    return value.every(isScalar) ? `[${value.map(scalar).join(" ")}]` : `[${value.length}]`;
  }
  const members = Object.entries(value as object);
  if (members.length === 0) return "{}";
  return members.map(([name, member]) => `${word(name)}=${inner(member)}`).join(" ");
}

/** Members a list may have to be shown in full within an object. */
const SHORT_LIST = 4;

function inner(value: unknown): string {
  if (isScalar(value)) return scalar(value);
  if (!Array.isArray(value)) return `{${Object.keys(value as object).length}}`;
  const isShort = value.length <= SHORT_LIST && value.every(isScalar);
  return isShort ? `[${value.map(scalar).join(" ")}]` : `[${value.length}]`;
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || value === null || value instanceof WrittenNumber;
}

function scalar(value: unknown): string {
  if (typeof value === "string") {
    return word(value);
  }
  return String(value);
}

/** A text as it is if it is one word, else in quotes: it must not look like another member. */
function word(text: string): string {
  const shown = printable(text);
  return shown === "" || /[\s="]/.test(shown) ? JSON.stringify(shown) : shown;
}
