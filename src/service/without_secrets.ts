import { safeUrl } from "../config/safe_url.ts";

/** An address inside a text. What follows it may be taken along: it is only shown, never opened. */
const URL_IN_TEXT = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"]+/gi;

/** `Authorization` as it is sent; the scheme may be shown. */
const CREDENTIALS = /\b(bearer|basic)\s+[^\s"]+/gi;

/** A setting that is named like a secret: `token=…`, `"password": "…"`, `x-api-key: …`. */
const NAMED =
  /((?:token|secret|passw(?:or)?d|api[_-]?key|cookie|authorization)[\w-]{0,40}"?\s*[=:]\s*)(?:"[^"]*"|[^\s"&,;]+)/gi;

/** A JSON Web Token, or the beginning of one. */
const JWT = /\beyJ[\w-]{5,}(?:\.[\w-]*){0,2}/g;

/** A token as browsers send it, in the name of a subprotocol. */
const SUBPROTOCOL = /\b(holdfast\.token\.)[\w-]+/g;

/**
 * Somebody else's text, such as the message of an error, as a log may show it: addresses without
 * credentials and query, and "…" where a token or password looks like one. What looks like nothing
 * of the kind stays, so this is a net under texts that should hold no secret in the first place.
 *
 * @example
 * ```ts
 * withoutSecrets("no answer from http://me:pw@host/rpc?key=1"); // no answer from http://host/rpc
 * ```
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(URL_IN_TEXT, safeUrl)
    .replace(SUBPROTOCOL, "$1…")
    .replace(CREDENTIALS, "$1 …")
    .replace(NAMED, "$1…")
    .replace(JWT, "…");
}
