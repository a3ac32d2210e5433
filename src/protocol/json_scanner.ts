import type { JsonText } from "./codec.ts";

/** Deepest nesting of lists and objects that is taken: more is an attack or a mistake. */
export const MAX_JSON_DEPTH = 1000;

/** What became of a text that should be JSON. */
export type ScannedJson =
  | {
    readonly ok: true;
    /** The text without white space between tokens; everything else is as it was written. */
    readonly json: JsonText;
    /** The members that were asked for, of the outermost object; of equal names the last counts. */
    readonly members: ReadonlyMap<string, JsonText>;
    /** The first name in the outermost object that was not asked for. */
    readonly unknownMember: string | undefined;
    /** The elements of the outermost list, where they were asked for. */
    readonly elements: readonly JsonText[];
    readonly kind: JsonKind;
  }
  | { readonly ok: false; readonly why: "not_json" | "too_deep" | "too_many" };

/** What the outermost value is. */
export type JsonKind = "object" | "list" | "string" | "other";

export interface JsonScannerOptions {
  /** Members of the outermost object to be found. Default none. */
  members?: readonly string[];
  /** Most elements of the outermost list to be found; more are an error. Default: none is looked for. */
  maxElements?: number;
}

/** Where a value stands in the text without white space. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

type Step =
  | "value"
  | "first_value" // or the end of a list
  | "key"
  | "first_key" // or the end of an object
  | "colon"
  | "after_value"
  | "string"
  | "key_string";

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c, COLON = 0x3a, MINUS = 0x2d, DOT = 0x2e;
const OPEN_LIST = 0x5b, CLOSE_LIST = 0x5d, OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d;
const ZERO = 0x30, NINE = 0x39, PLUS = 0x2b, UPPER_E = 0x45, LOWER_E = 0x65, LOWER_U = 0x75;

/** Pieces of text kept before they are joined: many small strings cost more than their text. */
const MAX_PIECES = 4096;

const WORDS = ["true", "false", "null"] as const;

/**
 * Reads JSON without making values of it: says whether a text is JSON, takes the white space out,
 * and finds the text of parts. So numbers, escapes and the order of keys stay as they were written,
 * and nesting is bounded before anything recurses. Works piece by piece, that a large text need not
 * hold up the thread.
 *
 * @example
 * ```ts
 * const scanner = new JsonScanner(text);
 * while (!scanner.advance(1_000_000)) await turn();
 * const result = scanner.result();
 * ```
 */
export class JsonScanner {
  readonly #text: string;
  readonly #wanted: ReadonlySet<string>;
  readonly #maxElements: number;
  #at = 0;
  #step: Step = "value";
  #depth = 0;
  /** For each open list or object, whether it is a list. */
  readonly #isList: boolean[] = [];
  #failure: "not_json" | "too_deep" | "too_many" | undefined;
  #isDone = false;
  #kind: JsonKind = "other";
  /** Pieces of the text between white space, and how long they are together. */
  readonly #pieces: string[] = [];
  readonly #joined: string[] = [];
  #pieceStart = 0;
  #written = 0;
  #keyStart = 0;
  #partStart = 0;
  /** The name of the outermost member under way, if it is a wanted one. */
  #member: string | undefined;
  #unknownMember: string | undefined;
  readonly #members = new Map<string, Span>();
  readonly #elements: Span[] = [];

  constructor(text: string, options: JsonScannerOptions = {}) {
    this.#text = text;
    this.#wanted = new Set(options.members);
    this.#maxElements = options.maxElements ?? 0;
  }

  /** Goes on for about so many characters; true when there is a result. */
  advance(characters: number): boolean {
    const text = this.#text;
    const until = Math.min(text.length, this.#at + characters);
    while (!this.#isDone && this.#at < until) {
      if (this.#step === "string" || this.#step === "key_string") {
        this.#readString(until);
        continue;
      }
      const code = text.charCodeAt(this.#at);
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) this.#skipSpace();
      else this.#readToken(code);
    }
    if (!this.#isDone && this.#at >= text.length) {
      const isWhole = this.#step === "after_value" && this.#depth === 0;
      if (isWhole) this.#isDone = true;
      else this.#fail("not_json");
    }
    return this.#isDone;
  }

  /** @throws {TypeError} If the text was not read to its end. */
  result(): ScannedJson {
    if (!this.#isDone) throw new TypeError("Cannot tell what a text is that is still being read");
    if (this.#failure !== undefined) return { ok: false, why: this.#failure };
    const json = this.#compact();
    const textOf = ({ start, end }: Span) => json.slice(start, end) as JsonText;
    return {
      ok: true,
      json,
      kind: this.#kind,
      members: new Map([...this.#members].map(([name, span]) => [name, textOf(span)])),
      unknownMember: this.#unknownMember,
      elements: this.#elements.map(textOf),
    };
  }

  #compact(): JsonText {
    if (this.#written === 0 && this.#pieceStart === 0) return this.#text as JsonText;
    return [...this.#joined, ...this.#pieces, this.#text.slice(this.#pieceStart)]
      .join("") as JsonText;
  }

  #fail(why: "not_json" | "too_deep" | "too_many"): void {
    this.#failure = why;
    this.#isDone = true;
    this.#pieces.length = this.#joined.length = 0;
  }

  /** Where the reader stands, counted without white space. */
  #position(): number {
    return this.#written + this.#at - this.#pieceStart;
  }

  #skipSpace(): void {
    const text = this.#text;
    if (this.#at > this.#pieceStart) {
      this.#pieces.push(text.slice(this.#pieceStart, this.#at));
      this.#written += this.#at - this.#pieceStart;
      if (this.#pieces.length === MAX_PIECES) {
        this.#joined.push(this.#pieces.join(""));
        this.#pieces.length = 0;
      }
    }
    let at = this.#at + 1;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    this.#at = this.#pieceStart = at;
  }

  #readToken(code: number): void {
    switch (this.#step) {
      case "first_value":
        if (code === CLOSE_LIST) return this.#close();
        return this.#readValue(code);
      case "value":
        return this.#readValue(code);
      case "first_key":
        if (code === CLOSE_OBJECT) return this.#close();
        return this.#readKey(code);
      case "key":
        return this.#readKey(code);
      case "colon":
        if (code !== COLON) return this.#fail("not_json");
        this.#at++;
        this.#step = "value";
        return;
      case "after_value":
        return this.#readAfterValue(code);
    }
  }

  #readKey(code: number): void {
    if (code !== QUOTE) return this.#fail("not_json");
    this.#keyStart = this.#at;
    this.#at++;
    this.#step = "key_string";
  }

  #readValue(code: number): void {
    if (this.#depth === 1) this.#partStart = this.#position();
    switch (code) {
      case OPEN_OBJECT:
        return this.#open(false);
      case OPEN_LIST:
        return this.#open(true);
      case QUOTE:
        if (this.#depth === 0) this.#kind = "string";
        this.#at++;
        this.#step = "string";
        return;
      default:
        if (code === MINUS || (code >= ZERO && code <= NINE)) return this.#readNumber();
        return this.#readWord();
    }
  }

  #open(isList: boolean): void {
    if (this.#depth === MAX_JSON_DEPTH) return this.#fail("too_deep");
    if (this.#depth === 0) this.#kind = isList ? "list" : "object";
    this.#isList[this.#depth++] = isList;
    this.#at++;
    this.#step = isList ? "first_value" : "first_key";
  }

  #close(): void {
    this.#depth--;
    this.#at++;
    this.#valueEnds();
  }

  #readAfterValue(code: number): void {
    if (this.#depth === 0) return this.#fail("not_json");
    const isList = this.#isList[this.#depth - 1];
    if (code === COMMA) {
      this.#at++;
      this.#step = isList ? "value" : "key";
    } else if (code === (isList ? CLOSE_LIST : CLOSE_OBJECT)) this.#close();
    else this.#fail("not_json");
  }

  #valueEnds(): void {
    this.#step = "after_value";
    if (this.#depth !== 1) return;
    const span = { start: this.#partStart, end: this.#position() };
    if (this.#isList[0]) {
      if (this.#maxElements === 0) return;
      if (this.#elements.length === this.#maxElements) return this.#fail("too_many");
      this.#elements.push(span);
    } else if (this.#member !== undefined) {
      this.#members.set(this.#member, span);
      this.#member = undefined;
    }
  }

  #readWord(): void {
    for (const word of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return this.#valueEnds();
    }
    this.#fail("not_json");
  }

  #readNumber(): void {
    const text = this.#text;
    let at = this.#at;
    if (text.charCodeAt(at) === MINUS) at++;
    const first = at;
    at = digitsEnd(text, at);
    if (at === first || (text.charCodeAt(first) === ZERO && at > first + 1)) {
      return this.#fail("not_json");
    }
    if (text.charCodeAt(at) === DOT) {
      const fraction = at + 1;
      at = digitsEnd(text, fraction);
      if (at === fraction) return this.#fail("not_json");
    }
    const exponentMark = text.charCodeAt(at);
    if (exponentMark === UPPER_E || exponentMark === LOWER_E) {
      let exponent = at + 1;
      const sign = text.charCodeAt(exponent);
      if (sign === PLUS || sign === MINUS) exponent++;
      at = digitsEnd(text, exponent);
      if (at === exponent) return this.#fail("not_json");
    }
    this.#at = at;
    this.#valueEnds();
  }

  #readString(until: number): void {
    const text = this.#text;
    let at = this.#at;
    for (; at < until; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return this.#stringEnds();
      }
      if (code < 0x20) return this.#fail("not_json");
      if (code !== BACKSLASH) continue;
      at++;
      const escaped = text.charCodeAt(at);
      if (escaped === LOWER_U) {
        if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) return this.#fail("not_json");
        at += 4;
      } else if (!isSimpleEscape(escaped)) return this.#fail("not_json");
    }
    this.#at = at;
  }

  #stringEnds(): void {
    if (this.#step === "string") return this.#valueEnds();
    this.#step = "colon";
    if (this.#depth !== 1 || this.#wanted.size === 0) return;
    const name: string = JSON.parse(this.#text.slice(this.#keyStart, this.#at));
    if (this.#wanted.has(name)) this.#member = name;
    else {
      this.#member = undefined;
      this.#unknownMember ??= name;
    }
  }
}

/** Reads a text in one go: for what is known to be small. */
export function scanJson(text: string, options: JsonScannerOptions = {}): ScannedJson {
  const scanner = new JsonScanner(text, options);
  scanner.advance(Infinity);
  return scanner.result();
}

function digitsEnd(text: string, at: number): number {
  for (;; at++) {
    const code = text.charCodeAt(at);
    if (!(code >= ZERO && code <= NINE)) return at; // past the end it is NaN
  }
}

/** `"`, `\`, `/`, b, f, n, r, t. */
function isSimpleEscape(code: number): boolean {
  return code === QUOTE || code === BACKSLASH || code === 0x2f || code === 0x62 ||
    code === 0x66 || code === 0x6e || code === 0x72 || code === 0x74;
}
