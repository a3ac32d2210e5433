// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { CLIENT_JS, CLIENT_TYPES } from "../../page/built.ts";
import { PAGE_POLICY, pageHtml } from "../../page/page.ts";
import type { Authenticator } from "../door/authenticator.ts";
import { unauthorized } from "./reply.ts";

/** Sent with every file: none of them changes while the hub runs, but the next hub's may differ. */
const HEADERS = { "cache-control": "no-cache", "x-content-type-options": "nosniff" };

/**
 * The dashboard. A browser cannot send a token when it opens a page, so whoever has none gets the
 * refusal of every other path, with its headers, but with the page as its body: that asks for the
 * token. The page holds no data; what it shows comes over `/ws` and `/status`, with the token.
 */
export async function frontPage(
  authenticator: Authenticator,
  token: string | undefined,
): Promise<Response> {
  const result = await authenticator.authenticate(token);
  const refusal = result.ok ? undefined : unauthorized(result);
  const headers = new Headers({
    ...HEADERS,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": PAGE_POLICY,
    "referrer-policy": "no-referrer",
    // What is answered depends on the token: nobody in between may keep it.
    "cache-control": "no-store",
  });
  for (const name of ["www-authenticate", "retry-after"]) {
    const value = refusal?.headers.get(name);
    if (value) headers.set(name, value);
  }
  const body = pageHtml({ wantsToken: refusal !== undefined });
  return new Response(body, { status: refusal?.status ?? STATUS_CODE.OK, headers });
}

/**
 * The client library. It is public, token or not: it holds no data, is the same in every hub of a
 * version, and programs import it before they could show a token.
 */
export function clientModule(): Response {
  return new Response(CLIENT_JS, {
    headers: {
      ...HEADERS,
      "content-type": "text/javascript; charset=utf-8",
      // Deno finds the types by it.
      "x-typescript-types": "./client.d.ts",
    },
  });
}

/** The library's types; public as the library is. */
export function clientTypes(): Response {
  return new Response(CLIENT_TYPES, {
    headers: { ...HEADERS, "content-type": "application/typescript; charset=utf-8" },
  });
}
