import { CLIENT_JS, CLIENT_TYPES } from "../../page/built.ts";
import { PAGE_POLICY, pageHtml } from "../../page/page.ts";
import type { Authenticator } from "../door/authenticator.ts";

/** Sent with every file: none of them changes while the hub runs, but the next hub's may differ. */
const HEADERS = { "cache-control": "no-cache", "x-content-type-options": "nosniff" };

/**
 * The dashboard. It is open, as a browser cannot send a token when it opens a page: without one the
 * page asks for it. It holds no data; what it shows comes over `/ws` and `/status`, with the token.
 */
export async function frontPage(
  authenticator: Authenticator,
  token: string | undefined,
  onWrongToken: () => void,
): Promise<Response> {
  const { ok } = await authenticator.authenticate(token);
  if (!ok && token !== undefined) onWrongToken();
  const headers = {
    ...HEADERS,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": PAGE_POLICY,
    "referrer-policy": "no-referrer",
    // What is answered depends on the token: nobody in between may keep it.
    "cache-control": "no-store",
  };
  return new Response(pageHtml({ wantsToken: !ok }), { headers });
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
