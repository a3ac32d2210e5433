// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { EncodedFrame } from "../../protocol/codec.ts";
import { logOf } from "../../telemetry/log.ts";
import { exposition, type Metric } from "../../telemetry/metrics.ts";
import type { ValueStore } from "../../values/value_store.ts";
import type { Admission, AdmittedPlace } from "../door/admission.ts";
import { asyncApi } from "../reports/asyncapi.ts";
import { type FedChannel, limitedStatus } from "../reports/limited_status.ts";
import type { Authenticator } from "../door/authenticator.ts";
import type { Policy } from "../door/policy.ts";
import type { RefusalReason, Refusals } from "../door/refusals.ts";
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
import { incidents, type IncidentSource, uptime } from "./incident_routes.ts";
import { notifications, points, type PointSource } from "./memory_routes.ts";
import { allSnapshots, oneSnapshot } from "./snapshot_routes.ts";
import type { StatusReport } from "../reports/status_report.ts";
import { tokenOf } from "../door/token.ts";

/** What the paths need of the application. */
export interface RouteContext {
  readonly admission: Admission;
  readonly refusals: Refusals;
  /** What may change while the hub runs. */
  readonly policy: () => Policy;
  readonly version: string;
  readonly statusReport: () => Promise<StatusReport>;
  readonly metrics: () => Promise<readonly Metric[]>;
  /** Why the hub is not ready; empty if it is. */
  readonly notReady: () => readonly string[];
  /** Whether the connection with this peer speaks HTTP/2, as far as that can be told. */
  readonly isHttp2: (peer: RequestInfo["peer"]) => boolean;
  readonly statusChannels: () => readonly string[];
  readonly values: Pick<ValueStore, "read">;
  /** Which backend feeds which channel. */
  readonly fed: () => readonly FedChannel[];
  readonly incidents: IncidentSource;
  readonly points: PointSource;
  /** The latest events, newest first. */
  readonly recentEvents: () => readonly EncodedFrame[];
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly openWebSocket: (visit: Visit, place: AdmittedPlace) => Response;
  readonly openEventStream: (visit: Visit, place: AdmittedPlace) => Response;
  readonly publish: (visit: Visit) => Promise<Response>;
  readonly poll: (visit: Visit) => Promise<Response>;
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
    if (authenticator.isOpen && !isHostServed(info.host, policy)) {
      noteRefusal(context, info, "host");
      return forbiddenHost(info.host);
    }
    const route = routes.get(info.path) ?? snapshotRoute(context, info.path);
    if (route === undefined) return notFound(info.path);
    if (info.method === "OPTIONS") return preflight(info, origins);
    if (info.method !== route.method && !(info.method === "HEAD" && route.method === "GET")) {
      return wrongMethod(info.method, route.method);
    }
    if (!isOriginAllowed(info, origins)) {
      noteRefusal(context, info, "origin");
      return forbiddenOrigin();
    }
    const identity = route.isPublic ? NOBODY : await identify(context, authenticator, info);
    if (identity instanceof Response) return identity;
    return await route.answer({ request, info, identity });
  }

  return async (request, connection) => {
    const policy = context.policy();
    try {
      const info = readRequestInfo(request, connection, {
        trustProxy: policy.trustProxy,
        isHttp2: context.isHttp2,
      });
      if (info === "bad_host") {
        const { remoteAddr } = connection;
        const address = "hostname" in remoteAddr ? remoteAddr.hostname : "local";
        context.refusals.add("bad_host", { address, path: "" });
        return badHost();
      }
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
      answer: ({ info }) =>
        frontPage(
          context.policy().authenticator,
          tokenOf(info.headers, info.query),
          () => noteRefusal(context, info, "wrong_token"),
        ),
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
    ["/poll", { method: "POST", answer: context.poll }],
    ["/snapshot", { method: "GET", answer: ({ identity }) => allSnapshots(context, identity) }],
    ["/asyncapi.json", {
      method: "GET",
      answer: (visit) => reply(STATUS_CODE.OK, protocolDocument(context, visit)),
    }],
    ["/status", {
      method: "GET",
      answer: async ({ identity }) =>
        reply(STATUS_CODE.OK, limitedStatus(await statusReport(), identity, context.fed())),
    }],
    ["/incidents", {
      method: "GET",
      answer: ({ info: { query }, identity: rights }) =>
        incidents(context.incidents, query, { rights, fed: context.fed(), now: context.now() }),
    }],
    ["/uptime", {
      method: "GET",
      answer: ({ info: { query }, identity: rights }) =>
        uptime(context.incidents, query, { rights }),
    }],
    ["/points", {
      method: "GET",
      answer: ({ info: { query }, identity: rights }) =>
        points(context.points, query, { rights, channels: context.statusChannels() }),
    }],
    ["/notifications", {
      method: "GET",
      answer: ({ identity }) => notifications(context.recentEvents(), identity),
    }],
    ["/metrics", { method: "GET", answer: ({ identity }) => scrape(context, identity) }],
    ["/healthz", {
      method: "GET",
      isPublic: true,
      answer: () => reply(STATUS_CODE.OK, { status: "ok" }),
    }],
    ["/readyz", {
      method: "GET",
      isPublic: true,
      answer: () => readiness(notReady(), context.policy().authenticator),
    }],
  ]);
}

function snapshotRoute(context: RouteContext, path: string): Route | undefined {
  if (!path.startsWith("/snapshot/")) return undefined;
  const channel = path.slice("/snapshot/".length);
  return { method: "GET", answer: ({ identity }) => oneSnapshot(context, channel, identity) };
}

/** The identity on a public path, where no token is looked at. */
const NOBODY: Identity = {
  name: "nobody",
  mayRead: () => false,
  readsAll: false,
  reads: [],
  mayPublish: false,
  mayReadMetrics: false,
  credential: { kind: "none" },
};

async function identify(
  context: RouteContext,
  authenticator: Authenticator,
  info: RequestInfo,
): Promise<Identity | Response> {
  const token = tokenOf(info.headers, info.query);
  const result = await authenticator.authenticate(token);
  if (result.ok) return result.identity;
  const wrong = result.isUndecided ? "undecided_token" : "wrong_token";
  noteRefusal(context, info, token === undefined ? "no_token" : wrong);
  return unauthorized(result);
}

function withPlace(
  context: RouteContext,
  visit: Visit,
  open: (visit: Visit, place: AdmittedPlace) => Response,
): Response {
  const place = context.admission.enter(visit.info.clientGroup);
  if (typeof place !== "string") return open(visit, place);
  noteRefusal(context, visit.info, place);
  return noPlace(place);
}

function noteRefusal({ refusals }: RouteContext, info: RequestInfo, why: RefusalReason): void {
  refusals.add(why, { address: info.clientAddress, path: info.path });
}

/** Everything counted, as Prometheus reads it. */
async function scrape({ metrics }: RouteContext, identity: Identity): Promise<Response> {
  if (!identity.mayReadMetrics) {
    return refuse(
      STATUS_CODE.Forbidden,
      `metrics take a token that has "metrics": true, or "channels": ["*"]`,
    );
  }
  const { text, contentType } = await exposition(await metrics());
  return new Response(text, {
    headers: { "content-type": contentType, "cache-control": "no-store" },
  });
}

/** Everybody may ask this: where there are tokens, no names are told. */
function readiness(why: readonly string[], { isOpen }: Authenticator): Response {
  if (why.length === 0) return reply(STATUS_CODE.OK, { ready: true });
  const told = isOpen
    ? why
    : [`${why.length} ${why.length === 1 ? "thing is" : "things are"} missing`];
  return reply(STATUS_CODE.ServiceUnavailable, { ready: false, why: told });
}

function protocolDocument(context: RouteContext, { info, identity }: Visit): object {
  return asyncApi({
    version: context.version,
    host: info.host,
    isSecure: info.scheme === "https",
    statusChannels: context.statusChannels(),
    mayRead: identity.mayRead,
  });
}
