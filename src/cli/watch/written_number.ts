/** A number that would not come out of a double as it was written: kept by its text. */
export class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** Reads JSON; a number that a double would change (`1764000000123456789`, `1.50`) stays a text. */
export function parseAsWritten(text: string): unknown {
  return JSON.parse(text, keepWritten);
}

function keepWritten(_key: string, value: unknown, context?: { readonly source?: string }) {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  return new WrittenNumber(source);
}
