// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE, STATUS_TEXT } from "@std/http/status";
import type { JsonText } from "../../protocol/codec.ts";
import type { NoPlace } from "../door/admission.ts";

/** Values change by the second: nobody in between may keep them. */
const HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/** A JSON response. */
export function reply(status: number, body: object, headers: HeadersInit = {}): Response {
  return replyText(status, JSON.stringify(body) as JsonText, headers);
}

/** A response whose body is JSON text already. */
export function replyText(status: number, body: JsonText, headers: HeadersInit = {}): Response {
  const all = new Headers(HEADERS);
  for (const [name, value] of new Headers(headers)) all.set(name, value);
  return new Response(`${body}\n`, { status, headers: all });
}

/** A response that says what was wrong and what would be right. */
export function refuse(status: number, message: string, headers: HeadersInit = {}): Response {
  return reply(status, { error: STATUS_TEXT[status] ?? "Error", message }, headers);
}

/** 405, naming the methods there are. */
export function wrongMethod(method: string, allowed: string): Response {
  return refuse(STATUS_CODE.MethodNotAllowed, `${method} is not possible here; ${allowed} is`, {
    allow: allowed,
  });
}

/** How long a client that finds no place is asked to wait, in seconds. */
const RETRY_AFTER_SECONDS = 5;

export function notFound(path: string): Response {
  return refuse(STATUS_CODE.NotFound, `there is nothing at ${path}`);
}

export function forbiddenOrigin(): Response {
  return refuse(STATUS_CODE.Forbidden, "pages of this origin may not talk to this hub");
}

/** The request names no host that could be one. */
export function badHost(): Response {
  return refuse(STATUS_CODE.BadRequest, "the Host header must be one host or host:port");
}

/** A hub without tokens is asked under a name that is not its own. */
export function forbiddenHost(host: string): Response {
  return refuse(
    STATUS_CODE.Forbidden,
    `this hub does not answer to the name ${host}; if it should, list that in "hosts"`,
  );
}

/** 401, or 503 where the token may be good but cannot be checked just now. */
export function unauthorized({ why, isUndecided }: { why: string; isUndecided?: true }): Response {
  if (isUndecided) return refuse(STATUS_CODE.ServiceUnavailable, why, retryLater());
  return refuse(STATUS_CODE.Unauthorized, why, { "www-authenticate": "Bearer" });
}

/** There is no place for this client. */
export function noPlace(why: NoPlace): Response {
  switch (why) {
    case "draining":
      return refuse(STATUS_CODE.ServiceUnavailable, "the hub is shutting down", retryLater());
    case "joining": {
      const message = "the hub has not joined its cluster yet";
      return refuse(STATUS_CODE.ServiceUnavailable, message, retryLater());
    }
    case "full": {
      const message = "the hub has no place for more clients";
      return refuse(STATUS_CODE.ServiceUnavailable, message, retryLater());
    }
    case "no_descriptors": {
      const message = "the hub can take no more connections just now";
      return refuse(STATUS_CODE.ServiceUnavailable, message, retryLater());
    }
    case "too_many_from_address": {
      const message = "there are too many clients from your address";
      return refuse(STATUS_CODE.TooManyRequests, message, retryLater());
    }
  }
}

/** Asks to come back in a while. */
export function retryLater(): HeadersInit {
  return { "retry-after": String(RETRY_AFTER_SECONDS) };
}
