import type { Positions } from "./positions.ts";

/** Something wrong with a text, at an offset in it. */
export interface Slip {
  readonly at: number;
  readonly found: string;
  readonly expected: string;
}

/** A key that stands twice in its object: the later one would win in silence. */
export interface RepeatedKey {
  readonly container: object;
  readonly key: string;
  /** Offset of its second appearance. */
  readonly at: number;
}

/** What a reader of one format made of a text. */
export type Read =
  | { readonly ok: true; readonly value: unknown; readonly repeated: readonly RepeatedKey[] }
  | { readonly ok: false; readonly slips: readonly Slip[] };

/**
 * Reads a text of one format, and every slip in it.
 *
 * @throws {RangeError} If it is nested too deep.
 */
export type TextReader = (text: string, positions: Positions) => Read;
