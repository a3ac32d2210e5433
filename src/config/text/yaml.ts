import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { define } from "./jsonc.ts";
import type { Positions } from "./positions.ts";
import type { Read, RepeatedKey, Slip } from "./reading.ts";

const ONE_DOCUMENT = "one YAML document; put strings with ${…}, : or # in quotes";

/** What the parser's codes mean; others are shown as they are. Its messages may quote the text. */
const MEANINGS: Readonly<Record<string, readonly [found: string, expected: string]>> = {
  TAB_AS_INDENT: ["a tab that indents", "spaces: YAML does not indent with tabs"],
  BAD_INDENT: [
    "indentation that does not fit, or a bracket that is not closed",
    "each key of a block in the same column, and each bracket closed",
  ],
  MULTIPLE_DOCS: ["a second document (---)", "one YAML document"],
  TAG_RESOLVE_FAILED: ["a tag (!…) that is not known", "a value without one"],
  BLOCK_AS_IMPLICIT_KEY: ['a second ": " in one line', "quotes around a value that holds one"],
  BAD_SCALAR_START: ["a value that begins with @, % or `", "quotes around it"],
  BAD_DQ_ESCAPE: ["an escape that is none", "a backslash before each backslash, or single quotes"],
};

class YamlSlip extends Error {
  constructor(readonly slip: Slip) {
    super(slip.found);
  }
}

/**
 * Reads one YAML document (1.2, merge keys besides), and every slip in it.
 *
 * @throws {RangeError} If it is nested too deep.
 */
export function readYaml(text: string, positions: Positions): Read {
  const document = parseDocument(text, {
    merge: true,
    prettyErrors: false,
    uniqueKeys: false, // told with the other repeated keys
  });
  const errors = [...document.errors, ...document.warnings];
  if (errors.some(({ code }) => code === "RESOURCE_EXHAUSTION")) throw new RangeError("too deep");
  if (errors.length > 0) return { ok: false, slips: errors.map(slipOf) };
  try {
    return convertDocument(document, positions);
  } catch (error) {
    if (error instanceof YamlSlip) return { ok: false, slips: [error.slip] };
    throw error;
  }
}

function slipOf({ code, pos: [at] }: YAMLError): Slip {
  const [found, expected] = MEANINGS[code] ??
    [`text that is not YAML (${code.toLowerCase().replaceAll("_", " ")})`, ONE_DOCUMENT];
  return { at, found, expected };
}

function convertDocument(document: Document, positions: Positions): Read {
  const repeated: RepeatedKey[] = [];
  /** What aliases lead to is converted once: circles and many uses cost nothing. */
  const converted = new Map<Node, unknown>();

  function convert(node: unknown): unknown {
    if (isAlias(node)) return convert(targetOf(node));
    if (isScalar(node)) return node.value;
    if (!isCollection(node)) return null; // a key without a value
    if (converted.has(node)) return converted.get(node);
    if (isSeq(node)) {
      const list: unknown[] = [];
      converted.set(node, list);
      for (const [index, item] of node.items.entries()) {
        const at = offsetOf(item, node);
        positions.note(list, index, { key: at, value: at });
        list.push(convert(item));
      }
      return list;
    }
    const object: Record<string, unknown> = {};
    converted.set(node, object);
    if (isMap(node)) convertMap(node, object);
    return object;
  }

  function convertMap(map: YAMLMap, object: Record<string, unknown>): void {
    const merged: unknown[] = [];
    const seen = new Set<string>();
    for (const { key: keyNode, value } of map.items) {
      const at = offsetOf(keyNode, map);
      const plain = isAlias(keyNode) ? targetOf(keyNode) : keyNode;
      if (!isScalar(plain)) {
        throw new YamlSlip({ at, found: "a key that is a list or an object", expected: "a name" });
      }
      if (isMerge(plain.value)) {
        merged.push(value);
        continue;
      }
      const key = String(plain.value ?? "");
      if (seen.has(key)) repeated.push({ container: object, key, at });
      seen.add(key);
      positions.note(object, key, { key: at, value: offsetOf(value, keyNode) });
      define(object, key, convert(value));
    }
    for (const each of merged) mergeInto(object, convert(each));
  }

  /** What a map says itself wins over what it merges in, and the first one merged over the next. */
  function mergeInto(object: object, source: unknown): void {
    if (Array.isArray(source)) {
      for (const each of source) mergeInto(object, each);
      return;
    }
    if (typeof source !== "object" || source === null) return;
    for (const [key, value] of Object.entries(source)) {
      if (Object.hasOwn(object, key)) continue;
      define(object, key, value);
      positions.adopted(source, object, key);
    }
  }

  function targetOf(alias: Alias): unknown {
    const target = alias.resolve(document);
    if (target !== undefined) return target;
    const [at = 0] = alias.range ?? [];
    throw new YamlSlip({ at, found: "an alias (*…) without an anchor", expected: "&… before it" });
  }

  return { ok: true, value: convert(document.contents), repeated };
}

/** Whether a key is `<<`: the parser has a symbol for it. */
function isMerge(key: unknown): boolean {
  return key === "<<" || (typeof key === "symbol" && key.description === "<<");
}

/** Where a node begins; where another does if it is not there. */
function offsetOf(node: unknown, otherwise: unknown): number {
  for (const each of [node, otherwise]) {
    const range = (each as Partial<Node> | null | undefined)?.range;
    if (range) return range[0];
  }
  return 0;
}
