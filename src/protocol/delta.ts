/**
 * What has changed between two values, as a JSON Patch (RFC 6902): computed on their texts, so that
 * numbers stay as they were written, and such that whoever applies it in order gets the members of
 * every object in the order they have in the newer text.
 */
import type { JsonText } from "./codec.ts";
import type { Span } from "./json_scanner.ts";

/** One step from a value to the next; `path` is a JSON Pointer (RFC 6901). */
export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/**
 * Longest text a patch is made for, in characters; a longer value goes out whole. The time it takes
 * grows with the length: some 25 ms for so long a text, on the one thread.
 */
export const MAX_PATCHED_CHARS = 1_048_576;

/** Characters looked at, as a multiple of both texts' length; what takes more goes out whole. */
const MAX_LOOKS = 8;

/**
 * Names that some implementations refuse in a path, as setting them is more than setting a member:
 * an object that has one is replaced as a whole.
 */
const UNSAFE_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Elements by which a list may have moved on, for that to be noticed. */
const MAX_SHIFT = 8;

/**
 * The patch that leads from one value to the next; undefined if there is none worth having: it would
 * be longer than the value, or take too long. Both texts are valid JSON.
 */
export function makePatch(before: JsonText, after: JsonText): JsonText | undefined {
  if (before.length > MAX_PATCHED_CHARS || after.length > MAX_PATCHED_CHARS) return undefined;
  const maker = new PatchMaker(before, after);
  try {
    if (!maker.compare(maker.before.start(), maker.after.start(), "")) return undefined;
  } catch (error) {
    if (error instanceof NotWorthIt) return undefined;
    throw error;
  }
  return maker.text;
}

/** Thrown out of the middle of a comparison, however deep. */
class NotWorthIt extends Error {
  override readonly name = "NotWorthIt";
}

interface Member extends Span {
  /** The name as it is written, without its quotes. */
  readonly name: string;
}

class PatchMaker {
  readonly before: JsonReader;
  readonly after: JsonReader;
  readonly #maxChars: number;
  readonly #operations: string[] = [];
  #chars = 2;

  constructor(before: string, after: string) {
    let looks = MAX_LOOKS * (before.length + after.length);
    const onLook = (chars: number) => {
      looks -= chars;
      if (looks < 0) throw new NotWorthIt();
    };
    this.before = new JsonReader(before, onLook);
    this.after = new JsonReader(after, onLook);
    this.#maxChars = after.length;
  }

  get text(): JsonText {
    return `[${this.#operations.join(",")}]` as JsonText;
  }

  /** Compares two lists or two objects; false if only a whole new value leads from one to the other. */
  compare(a: Span, b: Span, path: string): boolean {
    const opens = this.before.text[a.start];
    if (opens !== this.after.text[b.start]) return false;
    const { length } = this.#operations;
    const chars = this.#chars;
    const isDone = opens === "{"
      ? this.#compareObjects(a, b, path)
      : opens === "[" && this.#compareLists(a, b, path);
    // Many small steps can be longer than the one to the whole.
    const wholeChars = b.end - b.start + REPLACE_CHARS + path.length;
    if (isDone && (this.#chars - chars <= wholeChars || path === "")) return true;
    this.#operations.length = length;
    this.#chars = chars;
    return false;
  }

  #compareObjects(a: Span, b: Span, path: string): boolean {
    const before = this.before.members(a);
    const after = this.after.members(b);
    if (
      before.length === after.length && after.every(({ name }, at) => name === before[at]?.name)
    ) {
      return this.#compareMembers(before, after, path);
    }
    const old = new Map(before.map((each) => [decodedName(each), each]));
    const names = after.map(decodedName);
    const wanted = new Set(names);
    if (old.size < before.length || wanted.size < names.length) return false; // a name twice
    const kept = [...old.keys()].filter((name) => wanted.has(name));
    const added = names.filter((name) => !old.has(name));
    // Members that stay keep their places, and what is added comes last: is that the order?
    if (![...kept, ...added].every((name, at) => name === names[at])) return false;
    if ([...old.keys(), ...names].some((name) => UNSAFE_NAMES.has(name))) return false;
    for (const [name, member] of old) {
      if (!wanted.has(name)) this.#say("remove", `${path}/${pointerToken(member.name)}`);
    }
    for (const [at, member] of after.entries()) {
      const same = old.get(names[at] ?? "");
      const place = `${path}/${pointerToken(member.name)}`;
      if (same === undefined) this.#say("add", place, member);
      else this.#compareAt(same, member, place);
    }
    return true;
  }

  /** The same names in the same order, as is usual. */
  #compareMembers(before: readonly Member[], after: readonly Member[], path: string): boolean {
    let isChecked = false;
    for (const [at, member] of after.entries()) {
      const same = before[at];
      if (same === undefined || this.#isSame(same, member)) continue;
      if (!isChecked) {
        const names = after.map(decodedName);
        if (new Set(names).size < names.length) return false;
        if (names.some((name) => UNSAFE_NAMES.has(name))) return false;
        isChecked = true;
      }
      this.#compareAt(same, member, `${path}/${pointerToken(member.name)}`);
    }
    return true;
  }

  #compareLists(a: Span, b: Span, path: string): boolean {
    const before = this.before.elements(a);
    const after = this.after.elements(b);
    const shift = this.#shiftOf(before, after);
    for (let nth = 0; nth < shift; nth++) this.#say("remove", `${path}/0`);
    const old = before.slice(shift);
    const common = Math.min(old.length, after.length);
    let head = 0;
    while (head < common && this.#isSameAt(old, head, after, head)) head++;
    let tail = 0;
    while (
      tail < common - head &&
      this.#isSameAt(old, old.length - 1 - tail, after, after.length - 1 - tail)
    ) tail++;
    const paired = common - head - tail;
    for (let at = head; at < head + paired; at++) {
      const [from, to] = [old[at], after[at]];
      if (from && to) this.#compareAt(from, to, `${path}/${at}`);
    }
    for (let at = old.length - tail - 1; at >= head + paired; at--) {
      this.#say("remove", `${path}/${at}`);
    }
    for (let at = head + paired; at < after.length - tail; at++) {
      this.#say("add", `${path}/${at}`, after[at]);
    }
    return true;
  }

  /** By how many elements a list has moved on, as the last so many points of a curve do. */
  #shiftOf(before: readonly Span[], after: readonly Span[]): number {
    if (this.#isSameAt(before, 0, after, 0)) return 0;
    for (let shift = 1; shift <= MAX_SHIFT && shift < before.length; shift++) {
      const stays = before.length - shift;
      if (stays > after.length || !this.#isSameAt(before, shift, after, 0)) continue;
      let same = 1;
      while (same < stays && this.#isSameAt(before, shift + same, after, same)) same++;
      if (same === stays) return shift;
    }
    return 0;
  }

  #compareAt(a: Span, b: Span, path: string): void {
    if (this.#isSame(a, b) || this.compare(a, b, path)) return;
    this.#say("replace", path, b);
  }

  #isSameAt(before: readonly Span[], a: number, after: readonly Span[], b: number): boolean {
    const [from, to] = [before[a], after[b]];
    return from !== undefined && to !== undefined && this.#isSame(from, to);
  }

  #isSame(a: Span, b: Span): boolean {
    if (a.end - a.start !== b.end - b.start) return false;
    return this.before.text.slice(a.start, a.end) === this.after.text.slice(b.start, b.end);
  }

  #say(op: PatchOperation["op"], path: string, value?: Span): void {
    const text = value === undefined
      ? ""
      : `,"value":${this.after.text.slice(value.start, value.end)}`;
    const operation = `{"op":"${op}","path":"${path}"${text}}`;
    this.#operations.push(operation);
    this.#chars += operation.length + 1;
    // A whole that takes the place of these steps may yet be shorter, but not by half.
    if (this.#chars > 2 * this.#maxChars + REPLACE_CHARS) throw new NotWorthIt();
  }
}

/** What a `replace` takes beside its path and its value. */
const REPLACE_CHARS = `{"op":"replace","path":"","value":},`.length;

/** The name of a member, for comparing: the same name can be written in several ways. */
function decodedName({ name }: Member): string {
  return name.includes("\\") ? JSON.parse(`"${name}"`) : name;
}

/** A name as part of a pointer, within the quotes of a JSON text. */
function pointerToken(name: string): string {
  if (!/[~/\\]/.test(name)) return name;
  const decoded: string = name.includes("\\") ? JSON.parse(`"${name}"`) : name;
  return JSON.stringify(decoded.replaceAll("~", "~0").replaceAll("/", "~1")).slice(1, -1);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;

/** Finds the parts of lists and objects in a text that is valid JSON. */
class JsonReader {
  readonly text: string;
  readonly #onLook: (chars: number) => void;

  constructor(text: string, onLook: (chars: number) => void) {
    this.text = text;
    this.#onLook = onLook;
  }

  /** The value that the text is. */
  start(): Span {
    return { start: this.#space(0), end: this.text.length };
  }

  members({ start, end }: Span): Member[] {
    this.#onLook(end - start);
    const members: Member[] = [];
    for (let at = this.#space(start + 1); this.text.charCodeAt(at) !== CLOSE_OBJECT;) {
      const nameEnd = this.#stringEnd(at);
      const name = this.text.slice(at + 1, nameEnd - 1);
      const value = this.#space(this.#past(COLON, nameEnd));
      const valueEnd = this.#end(value);
      members.push({ name, start: value, end: valueEnd });
      at = this.#past(COMMA, valueEnd);
    }
    return members;
  }

  elements({ start, end }: Span): Span[] {
    this.#onLook(end - start);
    const elements: Span[] = [];
    for (let at = this.#space(start + 1); this.text.charCodeAt(at) !== CLOSE_LIST;) {
      const elementEnd = this.#end(at);
      elements.push({ start: at, end: elementEnd });
      at = this.#past(COMMA, elementEnd);
    }
    return elements;
  }

  /** The end of the value that begins here. */
  #end(start: number): number {
    const { text } = this;
    const first = text.charCodeAt(start);
    if (first === QUOTE) return this.#stringEnd(start);
    if (first !== OPEN_OBJECT && first !== OPEN_LIST) return this.#wordEnd(start);
    let depth = 1;
    let at = start + 1;
    while (depth > 0 && at < text.length) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        at = this.#stringEnd(at);
        continue;
      }
      if (code === OPEN_OBJECT || code === OPEN_LIST) depth++;
      else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth--;
      at++;
    }
    return at;
  }

  #stringEnd(start: number): number {
    const { text } = this;
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      if (code === BACKSLASH) at++;
    }
    return text.length;
  }

  /** The end of a number, or of `true`, `false`, `null`. */
  #wordEnd(start: number): number {
    const { text } = this;
    let at = start;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === COMMA || code === CLOSE_OBJECT || code === CLOSE_LIST || code <= SPACE) break;
    }
    return at;
  }

  /** Behind this sign, if it stands here, and behind white space. */
  #past(sign: number, start: number): number {
    const at = this.#space(start);
    return this.text.charCodeAt(at) === sign ? this.#space(at + 1) : at;
  }

  #space(start: number): number {
    let at = start;
    while (this.text.charCodeAt(at) <= SPACE) at++;
    return at;
  }
}
