/** A key that stands twice in one object of a JSONC text. */
export interface DuplicateKey {
  readonly key: string;
  /** Offset of its second appearance. */
  readonly at: number;
}

/** A comment, a string, or one of the characters that give JSON its structure. */
const TOKEN = /\/\/[^\r\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/**
 * Keys that a parser would let win over an earlier one in silence. The text must be JSONC that
 * parses.
 */
export function findDuplicateKeys(text: string): DuplicateKey[] {
  const duplicates: DuplicateKey[] = [];
  /** The keys of each object around the current token; `undefined` for a list. */
  const around: (Set<string> | undefined)[] = [];
  let last: { token: string; at: number } | undefined;
  for (const { 0: token, index: at } of text.matchAll(TOKEN)) {
    switch (token[0]) {
      case "/":
        continue; // a comment stands between a key and its colon at most
      case "{":
        around.push(new Set());
        break;
      case "[":
        around.push(undefined);
        break;
      case "}":
      case "]":
        around.pop();
        break;
      case ":": {
        const keys = around.at(-1);
        if (keys === undefined || last === undefined) break;
        const key = JSON.parse(last.token) as string;
        if (keys.has(key)) duplicates.push({ key, at: last.at });
        keys.add(key);
      }
    }
    last = { token, at };
  }
  return duplicates;
}
