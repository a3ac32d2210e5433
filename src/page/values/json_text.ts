/** Longest text that is laid out; what is longer is to be opened as a whole. */
const MAX_LENGTH = 200_000;

/** Deepest indentation: what lies deeper is not moved further to the right. */
const MAX_INDENT = 40;

export interface LaidOut {
  readonly text: string;
  readonly isCut: boolean;
}

/**
 * A JSON text over several lines, for people. Its tokens stay as they are, so that no number is
 * changed; a text of any depth is read without recursion.
 */
export function layOut(json: string): LaidOut {
  const isCut = json.length > MAX_LENGTH;
  const parts: string[] = [];
  let depth = 0;
  const line = () => `\n${"  ".repeat(Math.min(depth, MAX_INDENT))}`;
  for (const [token] of json.slice(0, MAX_LENGTH).matchAll(TOKENS)) {
    switch (token) {
      case "{":
      case "[":
        depth += 1;
        parts.push(token, line());
        break;
      case "}":
      case "]":
        depth -= 1;
        parts.push(line(), token);
        break;
      case ",":
        parts.push(token, line());
        break;
      case ":":
        parts.push(": ");
        break;
      default:
        parts.push(token);
    }
  }
  return { text: parts.join(""), isCut };
}

/** Empty objects and lists are one token; a text that was cut may end within a string. */
const TOKENS = /\{\s*\}|\[\s*\]|"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/g;
