// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { type AddressedRequest, isOriginAllowed } from "../door/origin.ts";
import type { ReadHeaders } from "../door/read_headers.ts";
import { forbiddenOrigin } from "./reply.ts";

/**
 * Lets pages of allowed origins read a response (Fetch standard, CORS protocol). The page of the
 * hub itself needs none of it.
 */
export function crossOriginHeaders(
  response: Response,
  headers: ReadHeaders,
  origins: readonly string[],
): Response {
  const origin = headers.get("origin");
  // A WebSocket's response cannot be changed, nor need it be.
  if (origin === null || response.status === STATUS_CODE.SwitchingProtocols) return response;
  response.headers.append("vary", "origin");
  if (origins.includes(origin)) {
    response.headers.set("access-control-allow-origin", origin);
    response.headers.set("access-control-expose-headers", "retry-after");
  }
  return response;
}

/** Answers a browser that asks whether it may ask; {@linkcode crossOriginHeaders} says to whom. */
export function preflight(request: AddressedRequest, origins: readonly string[]): Response {
  if (!isOriginAllowed(request, origins)) return forbiddenOrigin();
  return new Response(null, {
    status: STATUS_CODE.NoContent,
    headers: {
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "authorization, content-type, last-event-id",
      "access-control-max-age": "600",
    },
  });
}
