// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { logOf } from "../../telemetry/log.ts";
import { exposition, type Metric } from "../../telemetry/metrics.ts";
import type { ValueStore } from "../../values/value_store.ts";
import type { Admission, Place } from "../door/admission.ts";
import { asyncApi } from "../reports/asyncapi.ts";
import type { Authenticator } from "../door/authenticator.ts";
import { crossOriginHeaders, preflight } from "./cross_origin.ts";
import { readRequestInfo, type RequestInfo } from "./request_info.ts";
import type { Identity } from "../door/identity.ts";
import { isHostServed } from "../door/host.ts";
import { isOriginAllowed } from "../door/origin.ts";
import { clientModule, clientTypes, frontPage } from "./page_files.ts";
import {
  badHost,
  forbiddenHost,
  forbiddenOrigin,
  noPlace,
  notFound,
  refuse,
  reply,
  unauthorized,
  wrongMethod,
} from "./reply.ts";
import { allSnapshots, oneSnapshot } from "./snapshot_routes.ts";
import type { StatusReport } from "../reports/status_report.ts";
import { tokenOf } from "../door/token.ts";

/** What the paths need of the application. */
export interface RouteContext {
  readonly admission: Admission;
  /** What may change while the hub runs. */
  readonly policy: () => Policy;
  readonly statusReport: () => StatusReport;
  readonly metrics: () => readonly Metric[];
  /** Why the hub is not ready; empty if it is. */
  readonly notReady: () => readonly string[];
  readonly statusChannels: () => readonly string[];
  readonly values: Pick<ValueStore, "read">;
  readonly openWebSocket: (visit: Visit, place: Place) => Response;
  readonly openEventStream: (visit: Visit, place: Place) => Response;
  readonly publish: (visit: Visit) => Promise<Response>;
}

export interface Policy {
  readonly authenticator: Authenticator;
  readonly origins: readonly string[];
  /** Host names it answers to while there is no auth. */
  readonly hosts: readonly string[];
  /** The machine's own name; undefined where it is not known. */
  readonly machine: string | undefined;
  readonly trustProxy: boolean;
}

/** A request whose sender is known. */
export interface Visit {
  readonly request: Request;
  readonly info: RequestInfo;
  readonly identity: Identity;
}

interface Route {
  readonly method: "GET" | "POST";
  /** Open to all, whatever rules for access there are. */
  readonly isPublic?: true;
  readonly answer: (visit: Visit) => Response | Promise<Response>;
}

/**
 * Answers every request to the hub: finds the route, looks at origin and token, and answers. An
 * answer that fails is a 500 without details, and a log line.
 */
export function createRoutes(context: RouteContext): Deno.ServeHandler {
  const routes = routesOf(context);

  async function answer(request: Request, info: RequestInfo, policy: Policy): Promise<Response> {
    const { authenticator, origins } = policy;
    if (authenticator.isOpen && !isHostServed(info.host, policy)) return forbiddenHost(info.host);
    const route = routes.get(info.path) ?? snapshotRoute(context, info.path);
    if (route === undefined) return notFound(info.path);
    if (info.method === "OPTIONS") return preflight(info, origins);
    if (info.method !== route.method && !(info.method === "HEAD" && route.method === "GET")) {
      return wrongMethod(info.method, route.method);
    }
    if (!isOriginAllowed(info, origins)) return forbiddenOrigin();
    const identity = route.isPublic
      ? NOBODY
      : await identify(authenticator, tokenOf(info.headers, info.query));
    if (identity instanceof Response) return identity;
    return await route.answer({ request, info, identity });
  }

  return async (request, connection) => {
    const policy = context.policy();
    try {
      const info = readRequestInfo(request, connection, policy);
      if (info === "bad_host") return badHost();
      const response = await answer(request, info, policy);
      // Refusals too: a page that may not read them would be left guessing.
      return crossOriginHeaders(response, info.headers, policy.origins);
    } catch (error) {
      logOf("server").error("request.failed", { why: withoutQueries(String(error)) });
      return refuse(STATUS_CODE.InternalServerError, "the hub failed to answer; its log says why");
    }
  };
}

/** Errors may quote an address, and a query may hold a token. */
function withoutQueries(text: string): string {
  return text.replace(/\?[^\s'"]+/g, "?…");
}

function routesOf(context: RouteContext): Map<string, Route> {
  const { statusReport, notReady } = context;
  return new Map<string, Route>([
    ["/", {
      method: "GET",
      isPublic: true, // it looks at the token itself
      answer: ({ info: { headers, query } }) =>
        frontPage(context.policy().authenticator, tokenOf(headers, query)),
    }],
    ["/client.js", { method: "GET", isPublic: true, answer: clientModule }],
    ["/client.d.ts", { method: "GET", isPublic: true, answer: clientTypes }],
    ["/ws", {
      method: "GET",
      answer: (visit) => withPlace(context, visit, context.openWebSocket),
    }],
    ["/events", {
      method: "GET",
      answer: (visit) => withPlace(context, visit, context.openEventStream),
    }],
    ["/publish", { method: "POST", answer: context.publish }],
    ["/snapshot", { method: "GET", answer: ({ identity }) => allSnapshots(context, identity) }],
    ["/asyncapi.json", {
      method: "GET",
      answer: ({ info }) => reply(STATUS_CODE.OK, protocolDocument(context, info)),
    }],
    ["/status", { method: "GET", answer: () => reply(STATUS_CODE.OK, statusReport()) }],
    ["/metrics", { method: "GET", answer: () => scrape(context) }],
    ["/healthz", {
      method: "GET",
      isPublic: true,
      answer: () => reply(STATUS_CODE.OK, { status: "ok" }),
    }],
    ["/readyz", { method: "GET", isPublic: true, answer: () => readiness(notReady()) }],
  ]);
}

function snapshotRoute(context: RouteContext, path: string): Route | undefined {
  if (!path.startsWith("/snapshot/")) return undefined;
  const channel = path.slice("/snapshot/".length);
  return { method: "GET", answer: ({ identity }) => oneSnapshot(context, channel, identity) };
}

/** Whoever asks on a public path. */
const NOBODY: Identity = { name: "nobody", mayRead: () => false, mayPublish: false };

async function identify(
  authenticator: Authenticator,
  token: string | undefined,
): Promise<Identity | Response> {
  const result = await authenticator.authenticate(token);
  return result.ok ? result.identity : unauthorized(result);
}

function withPlace(
  { admission }: RouteContext,
  visit: Visit,
  open: (visit: Visit, place: Place) => Response,
): Response {
  const place = admission.enter(visit.info.clientGroup);
  return typeof place === "string" ? noPlace(place) : open(visit, place);
}

/** Everything counted, as Prometheus reads it. */
async function scrape({ metrics }: RouteContext): Promise<Response> {
  const { text, contentType } = await exposition(metrics());
  return new Response(text, {
    headers: { "content-type": contentType, "cache-control": "no-store" },
  });
}

function readiness(why: readonly string[]): Response {
  if (why.length === 0) return reply(STATUS_CODE.OK, { ready: true });
  return reply(STATUS_CODE.ServiceUnavailable, { ready: false, why });
}

function protocolDocument(context: RouteContext, { host, scheme }: RequestInfo): object {
  return asyncApi({
    version: context.statusReport().version,
    host,
    isSecure: scheme === "https",
    statusChannels: context.statusChannels(),
  });
}
