import { type BoundedBodyOptions, readBoundedBody } from "../rpc/http/bounded_body.ts";

/** What came of reading a request's body. */
export type RequestText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "too_large" }
  /** It broke off, took too long or is not UTF-8. */
  | { readonly kind: "unreadable" };

/** Reads a request's body and stops as soon as it is known to be larger than `maxBytes`. */
export async function readRequestText(
  request: Request,
  options: BoundedBodyOptions,
): Promise<RequestText> {
  try {
    const body = await readBoundedBody(request, options);
    return body.kind === "not_utf8" ? { kind: "unreadable" } : body;
  } catch {
    return { kind: "unreadable" };
  }
}
