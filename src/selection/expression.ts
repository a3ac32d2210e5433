import { compile, type JSONValue, TreeInterpreter } from "@jmespath-community/jmespath";

/** An expression that can be put to values. */
export type CompiledExpression = ReturnType<typeof compile>;

/** Longest expression, in characters; it bounds how deep one can be, and how long to compile. */
const MAX_EXPRESSION = 2000;

/** An expression, or what is wrong with it. */
export type Compiled =
  | { readonly ok: true; readonly expression: CompiledExpression }
  | {
    readonly ok: false;
    readonly why: string;
    /** Where, in characters from 1. */
    readonly at: number;
  };

/** Reads a JMESPath expression (the specification of jmespath.site), functions included. */
export function compileExpression(text: string): Compiled {
  if (text.length > MAX_EXPRESSION) {
    return { ok: false, why: `it is longer than ${MAX_EXPRESSION} characters`, at: MAX_EXPRESSION };
  }
  try {
    const expression = compile(text);
    const unknown = unknownFunction(expression);
    if (unknown === undefined) return { ok: true, expression };
    return { ok: false, why: `there is no function ${unknown}()`, at: text.indexOf(unknown) + 1 };
  } catch (error) {
    const message = messageOf(error);
    return { ok: false, why: inWords(message), at: placeOf(text, message) };
  }
}

/**
 * Where an expression went wrong. The library tells what it met, not where: it is where the shortest
 * beginning that fails in the same way ends.
 */
function placeOf(text: string, message: string): number {
  if (/\bEOF\b/.test(message)) return Math.max(1, text.length);
  for (let length = 1; length <= text.length; length++) {
    try {
      compile(text.slice(0, length));
    } catch (error) {
      if (messageOf(error) === message) return length;
    }
  }
  return text.length;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The library's words in ours. */
function inWords(message: string): string {
  const words = message.replace(/^syntax(?: error)?[:,]? */i, "")
    .replace(/\(EOF\): ""|\bEOF\b/g, "the end").replace(/\s+/g, " ").trim();
  return words === "" ? "it cannot be read" : words.slice(0, 120);
}

/** The first function of an expression that does not exist. */
function unknownFunction(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  const { type, name } = node as { type?: unknown; name?: unknown };
  if (type === "Literal") return undefined; // data, not code
  if (type === "Function" && typeof name === "string") {
    if (!TreeInterpreter.runtime.isRegistered(name)) return name;
  }
  for (const child of Object.values(node)) {
    const unknown = unknownFunction(child);
    if (unknown !== undefined) return unknown;
  }
  return undefined;
}

/** Most characters that `pad_left` and `pad_right` make of a string. */
const MAX_PADDED = 10_000;

/** The clock is looked at once in so many steps. */
const STEPS_PER_LOOK = 64;

/** An evaluation took too long. */
class TooLong extends Error {}

/**
 * Puts an expression to a value.
 *
 * @param maxMs How long it may take, in milliseconds: everything else waits meanwhile.
 * @throws {Error} With a message fit for users, if it cannot be evaluated or takes too long.
 */
export function evaluate(expression: CompiledExpression, value: unknown, maxMs: number): unknown {
  const endsAt = performance.now() + maxMs;
  let steps = 0;
  const step = (weight: number) => {
    steps += weight;
    if (steps < STEPS_PER_LOOK) return;
    steps = 0;
    if (performance.now() > endsAt) throw new TooLong(`it took more than ${Math.round(maxMs)} ms`);
  };
  return boundedInterpreter(newInterpreter(), step).search(expression, value as JSONValue);
}

type Interpreter = typeof TreeInterpreter;

function newInterpreter(): Interpreter {
  const { constructor } = TreeInterpreter as unknown as { constructor: new () => Interpreter };
  return new constructor();
}

/** Has every step of an interpreter, and of those it makes for `let`, counted. */
function boundedInterpreter(interpreter: Interpreter, step: (weight: number) => void): Interpreter {
  const { visit, withScope, runtime } = interpreter;
  const { callFunction } = runtime;
  return Object.assign(interpreter, {
    visit(...args: Parameters<typeof visit>) {
      step(1);
      return visit.apply(interpreter, args);
    },
    withScope: (...args: Parameters<typeof withScope>) =>
      boundedInterpreter(withScope.apply(interpreter, args), step),
    runtime: Object.assign(runtime, {
      callFunction(...args: Parameters<typeof callFunction>) {
        step(STEPS_PER_LOOK); // it may go through all of a list
        const [name, [, width]] = args;
        if (name.startsWith("pad_") && Number(width) > MAX_PADDED) {
          throw new TooLong(`${name}() makes no more than ${MAX_PADDED} characters`);
        }
        return callFunction.apply(runtime, args);
      },
    }),
  });
}
