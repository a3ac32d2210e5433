/**
 * Controls (C0, DEL, C1), the invisible marks that turn writing around, line separators and lone
 * halves of characters: on a terminal they move the cursor, hide text or forge lines.
 */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029\ufeff]/gu;

/** The text with such characters as `\uXXXX`, which in JSON text means the very same. */
export function escapeControls(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
