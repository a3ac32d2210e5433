// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { DURATION_GRAMMAR, parseDuration } from "../../config/duration.ts";
import type { IncidentReport } from "../../protocol/incident.ts";
import type { IncidentQuery } from "../../incidents/journal.ts";
import type { Uptime } from "../../incidents/standing_log.ts";
import type { Rights } from "../door/identity.ts";
import type { FedChannel } from "../reports/limited_status.ts";
import { refuse, reply } from "./reply.ts";

/** Where incidents are to be had. */
export interface IncidentSource {
  find(query: IncidentQuery): readonly IncidentReport[];
  /** How channels stood for so long until now, in so many steps as well unless they are none. */
  uptime(forMs: number, steps: number): Readonly<Record<string, Uptime>>;
}

export interface IncidentRouteOptions {
  rights: Pick<Rights, "mayRead" | "readsAll">;
  fed: readonly FedChannel[];
  /** Unix milliseconds. */
  now: number;
}

/** Incidents in one answer unless the asker says how many, and at most. */
const USUAL_LIMIT = 1000;
const MOST = 10_000;

/** What `/uptime` speaks of unless the asker says. */
const USUAL_UPTIME_MS = 7 * 86_400_000;

/** Most steps of `/uptime`: a strip on a page has some hundred pixels. */
const MOST_STEPS = 200;

const MOMENT =
  'unix seconds, a time such as "2026-01-31T08:00:00Z", or a duration such as "24h" for so long ago';

/** `GET /incidents?since=&until=&channel=&backend=&open=1&limit=`: what failed, newest first. */
export function incidents(
  source: IncidentSource,
  params: URLSearchParams,
  options: IncidentRouteOptions,
): Response {
  const query = queryOf(params, options.now);
  if (typeof query === "string") return refuse(STATUS_CODE.BadRequest, query);
  const { limit = USUAL_LIMIT, ...rest } = query;
  // What the asker may not see must not take the place of what it may.
  const found = source.find(rest).filter((each) => maySee(each, options)).slice(0, limit);
  return reply(STATUS_CODE.OK, { incidents: found });
}

/** `GET /uptime?for=7d&steps=84`: how each channel stood. */
export function uptime(
  source: IncidentSource,
  params: URLSearchParams,
  { rights: { mayRead } }: Pick<IncidentRouteOptions, "rights">,
): Response {
  const text = params.get("for");
  const forMs = text === null ? USUAL_UPTIME_MS : parseDuration(text);
  if (!forMs) {
    return refuse(STATUS_CODE.BadRequest, `"for" is not ${DURATION_GRAMMAR}, and more than none`);
  }
  const steps = Number(params.get("steps") ?? 0);
  if (!(Number.isInteger(steps) && steps >= 0 && steps <= MOST_STEPS)) {
    return refuse(STATUS_CODE.BadRequest, `"steps" is not a whole number up to ${MOST_STEPS}`);
  }
  const known = Object.entries(source.uptime(forMs, steps)).filter(([channel]) => mayRead(channel));
  return reply(STATUS_CODE.OK, Object.fromEntries(known));
}

/** A backend's incident speaks of all its channels. */
function maySee(
  { channel, backend }: IncidentReport,
  { rights: { mayRead, readsAll }, fed }: IncidentRouteOptions,
): boolean {
  if (readsAll) return true;
  if (channel !== undefined) return mayRead(channel);
  if (backend === undefined) return true;
  const channels = fed.filter((each) => each.backend === backend);
  return channels.length > 0 && channels.every((each) => mayRead(each.channel));
}

function queryOf(params: URLSearchParams, now: number): IncidentQuery | string {
  const since = momentOf(params.get("since"), now);
  const until = momentOf(params.get("until"), now);
  if (Number.isNaN(since)) return `"since" is not ${MOMENT}`;
  if (Number.isNaN(until)) return `"until" is not ${MOMENT}`;
  const limit = params.get("limit");
  if (limit !== null && !(/^\d{1,9}$/.test(limit) && Number(limit) >= 1)) {
    return `"limit" is not a whole number from 1 on`;
  }
  const open = params.get("open");
  if (open !== null && !["0", "1"].includes(open)) return `"open" is not 1, or 0`;
  const [id, channel, backend] = ["id", "channel", "backend"].map((name) => params.get(name));
  return {
    ...(id ? { id } : {}),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
    ...(channel ? { channel } : {}),
    ...(backend ? { backend } : {}),
    ...(open === "1" ? { isOpen: true } : {}),
    ...(limit === null ? {} : { limit: Math.min(MOST, Number(limit)) }),
  };
}

/** In unix milliseconds; NaN where it cannot be told. */
function momentOf(text: string | null, now: number): number | undefined {
  if (text === null || text === "") return undefined;
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const ms = parseDuration(text);
  return ms === undefined ? Date.parse(text) : now - ms;
}
