import { type Node, type ParseError, parseTree } from "jsonc-parser";
import type { Positions } from "./positions.ts";
import type { Read, RepeatedKey, Slip } from "./reading.ts";

const JSON_RULES = "JSON with comments: keys and strings in double quotes, brackets closed";

/**
 * Reads JSON with comments and trailing commas, and every slip in it.
 *
 * @throws {RangeError} If it is nested too deep.
 */
export function readJsonc(text: string, positions: Positions): Read {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || root === undefined) {
    const slips = errors.map(({ offset }) => slipAt(text, offset));
    return { ok: false, slips: slips.length > 0 ? slips : [slipAt(text, text.length)] };
  }
  const repeated: RepeatedKey[] = [];

  function convert(node: Node): unknown {
    switch (node.type) {
      case "object": {
        const object: Record<string, unknown> = {};
        const seen = new Set<string>();
        for (const { children: [keyNode, valueNode] = [] } of node.children ?? []) {
          if (keyNode === undefined || valueNode === undefined) continue;
          const key: string = keyNode.value;
          if (seen.has(key)) repeated.push({ container: object, key, at: keyNode.offset });
          seen.add(key);
          positions.note(object, key, { key: keyNode.offset, value: valueNode.offset });
          define(object, key, convert(valueNode));
        }
        return object;
      }
      case "array": {
        const list: unknown[] = [];
        for (const [index, child] of (node.children ?? []).entries()) {
          positions.note(list, index, { key: child.offset, value: child.offset });
          list.push(convert(child));
        }
        return list;
      }
      default:
        return node.value;
    }
  }

  return { ok: true, value: convert(root), repeated };
}

/** Sets a member of its own, even one called `__proto__`. */
export function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function slipAt(text: string, offset: number): Slip {
  const end = text.trimEnd().length;
  if (offset >= end) {
    return { at: end, found: "the end of the file too early", expected: JSON_RULES };
  }
  const character = text[offset] ?? "";
  if ("{}[]:,".includes(character)) {
    return { at: offset, found: `"${character}"`, expected: JSON_RULES };
  }
  if (character !== `"`) {
    return { at: offset, found: "something that is no JSON value", expected: JSON_RULES };
  }
  return {
    at: offset,
    found: "a string that is out of place or not well formed",
    expected:
      'a comma before it, a double quote at its end, and a backslash before each " or \\ in it',
  };
}
