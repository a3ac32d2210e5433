import type { JsonText } from "../protocol/codec.ts";
import { boundedJson } from "./bounded_json.ts";
import { type CompiledExpression, compileExpression, evaluate } from "./expression.ts";
import { type ExactValue, parseExact } from "./exact_number.ts";

/** What an expression gave. */
export type Selected =
  | { readonly ok: true; readonly text: JsonText }
  | { readonly ok: false; readonly why: string };

/**
 * Longest answer from which parts are selected, in characters, and longest part: an answer has to be
 * made a value of for that, in one go.
 */
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** How long one expression may take, in milliseconds: a hundred times what one should. */
const MAX_EVALUATION_MS = 500;

/** How long all those of one answer may take together, in milliseconds. */
const MAX_ANSWER_MS = 1000;

/**
 * Selects parts of one JSON text by JMESPath expressions, each on its own: what one of them cannot
 * do is no trouble of the others. Numbers that no double holds are passed on as they were written.
 *
 * @throws {TypeError} If an expression cannot be read.
 */
export class Selection {
  readonly #texts: readonly string[];
  readonly #expressions: readonly CompiledExpression[];

  constructor(expressions: readonly string[]) {
    this.#texts = expressions;
    this.#expressions = expressions.map((text) => {
      const compiled = compileExpression(text);
      if (compiled.ok) return compiled.expression;
      throw new TypeError(`Cannot select by ${text}: ${compiled.why}, at character ${compiled.at}`);
    });
  }

  /** What the expressions give, in their order. */
  from(text: JsonText): Selected[] {
    if (text.length > MAX_CHARACTERS) {
      const why = `an answer of more than ${MAX_CHARACTERS} characters is not selected from`;
      return this.#texts.map(() => ({ ok: false, why }));
    }
    const answer = parseExact(text);
    const endsAt = performance.now() + MAX_ANSWER_MS;
    return this.#expressions.map((expression, index) => {
      const maxMs = Math.max(0, Math.min(MAX_EVALUATION_MS, endsAt - performance.now()));
      return selectFrom(answer, { expression, text: this.#texts[index] ?? "", maxMs });
    });
  }
}

interface Question {
  readonly expression: CompiledExpression;
  readonly text: string;
  readonly maxMs: number;
}

function selectFrom(
  { value, exactKey }: ExactValue,
  { expression, text, maxMs }: Question,
): Selected {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  try {
    const selected = evaluate(expression, value, maxMs);
    if (selected === null || selected === undefined) {
      return { ok: false, why: `the answer has nothing at ${shown}` };
    }
    return {
      ok: true,
      text: boundedJson(
        { value: selected, ...(exactKey === undefined ? {} : { exactKey }) },
        MAX_CHARACTERS,
      ),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, why: `${shown} cannot be put to the answer: ${why.slice(0, 200)}` };
  }
}
