/** What a method of the demo backend came to; decisions are made on this value. */
export type MethodAnswer =
  | { readonly ok: true; readonly value: unknown }
  /** The question was wrong or cannot be answered: a JSON-RPC error's code and message. */
  | { readonly ok: false; readonly code: number; readonly message: string };

export interface MethodOptions {
  /** Ends the work when nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** A method, given the request's params: an object, a list, or nothing. */
export type Method = (
  params: unknown,
  options: MethodOptions,
) => Promise<MethodAnswer> | MethodAnswer;

/** Codes of JSON-RPC 2.0, section 5.1, and one of ours from the range left to servers. */
export const RPC_CODE = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** The server understood and will not, or cannot just now. */
  serverError: -32000,
} as const;

export function value(value: unknown): MethodAnswer {
  return { ok: true, value };
}

export function failure(code: number, message: string): MethodAnswer {
  return { ok: false, code, message };
}
