/** A value made of JSON text, in which numbers that no double holds stand as marked texts. */
export interface ExactValue {
  readonly value: unknown;
  /**
   * The one key of the objects that stand for such numbers; their member is the number's text. It is
   * made by chance, so that no answer can name it. Absent where there are none.
   */
  readonly exactKey?: string;
}

const QUOTE = 0x22, BACKSLASH = 0x5c, MINUS = 0x2d, ZERO = 0x30, NINE = 0x39;

/** Numbers of so few characters and without an exponent are held by any double. */
const SAFE_LENGTH = 15;

/**
 * Makes a value of JSON text that is known to be right. Numbers that no double holds can be passed
 * on afterwards, not compared or calculated with.
 */
export function parseExact(text: string): ExactValue {
  const exactKey = crypto.randomUUID();
  const marked = markExact(text, exactKey);
  return marked === text ? { value: JSON.parse(text) } : { value: JSON.parse(marked), exactKey };
}

function markExact(text: string, key: string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = numberEnd(text, at);
      const source = text.slice(at, end);
      if (!isHeldByDouble(source)) {
        pieces.push(text.slice(copied, at), `{"${key}":"${source}"}`);
        copied = end;
      }
      at = end;
    } else at++;
  }
  if (pieces.length === 0) return text;
  pieces.push(text.slice(copied));
  return pieces.join("");
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1;; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at++;
  }
}

function numberEnd(text: string, start: number): number {
  for (let at = start + 1;; at++) {
    const code = text.charCodeAt(at);
    const isPart = (code >= ZERO && code <= NINE) || code === 0x2e || code === 0x2b ||
      code === MINUS || code === 0x45 || code === 0x65; // . + - E e
    if (!isPart) return at;
  }
}

/** Whether reading a number as a double and writing it again gives the same number. */
export function isHeldByDouble(source: string): boolean {
  if (source.length <= SAFE_LENGTH && !/e/i.test(source)) return true;
  const value = Number(source);
  if (String(value) === source) return true;
  return Number.isFinite(value) && decimalOf(source) === decimalOf(String(value));
}

/** A number's digits without zeros at either end, and the power of ten that goes with them. */
function decimalOf(source: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const significant = `${whole}${fraction}`.replace(/^0+/, "");
  const trimmed = significant.slice(0, endWithoutZeros(significant));
  if (trimmed === "") return "0";
  const power = Number(exponent) - fraction.length + (significant.length - trimmed.length);
  return `${sign}${trimmed}e${power}`;
}

/** Where the digits end before their last zeros. A pattern would try this from each zero there is. */
function endWithoutZeros(digits: string): number {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end--;
  return end;
}
