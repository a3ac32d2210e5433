import type { Io } from "./io.ts";

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  criticalRed: [41, 49],
} as const satisfies Record<string, readonly [on: number, off: number]>;

/** Colours a text for a terminal, or leaves it as it is. */
export type Style = (name: keyof typeof CODES, text: string) => string;

export const PLAIN: Style = (_name, text) => text;

/**
 * The colours there are for a screen: none where nobody looks, nor where `NO_COLOR` is set (to
 * anything, https://no-color.org) or the terminal is a dumb one.
 */
export function styleFor(screen: { readonly isTerminal: boolean }, env: Io["env"]): Style {
  if (!screen.isTerminal || env["NO_COLOR"] || env["TERM"] === "dumb") return PLAIN;
  return (name, text) => {
    const [on, off] = CODES[name];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  };
}
