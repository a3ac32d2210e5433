/** What the hub remembers for who comes later: points of charts, and events. */
// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { DURATION_GRAMMAR, parseDuration } from "../../config/duration.ts";
import { EVENT_CHANNEL } from "../../protocol/channel.ts";
import type { EncodedFrame, JsonText } from "../../protocol/codec.ts";
import { LONGEST_SECONDS, type PointSeries } from "../../values/point_log.ts";
import type { Rights } from "../door/identity.ts";
import { refuse, reply, replyText } from "./reply.ts";

/** Where points are to be had. */
export interface PointSource {
  /** How a channel's numbers went for so long until now; undefined if nothing is known. */
  read(channel: string, forMs: number): PointSeries | undefined;
}

/** What `/points` speaks of unless the asker says. */
const USUAL_MS = 3_600_000;

export interface PointRouteOptions {
  rights: Pick<Rights, "mayRead">;
  /** Every status channel there may be. */
  channels: readonly string[];
}

/** `GET /points?for=1h&channels=a,b`: how the numbers of channels went. */
export function points(
  source: PointSource,
  params: URLSearchParams,
  { rights: { mayRead }, channels }: PointRouteOptions,
): Response {
  const text = params.get("for");
  const forMs = text === null ? USUAL_MS : parseDuration(text);
  if (!forMs || forMs > LONGEST_SECONDS * 1000) {
    return refuse(
      STATUS_CODE.BadRequest,
      `"for" is not ${DURATION_GRAMMAR}, more than none and "1d" at most`,
    );
  }
  const asked = params.get("channels")?.split(",");
  const known = channels
    .filter((channel) => mayRead(channel) && (asked === undefined || asked.includes(channel)))
    .flatMap((channel) => {
      const series = source.read(channel, forMs);
      return series === undefined ? [] : [[channel, series] as const];
    });
  return reply(STATUS_CODE.OK, Object.fromEntries(known));
}

/** `GET /notifications`: the latest of them, newest first, as their frames were. */
export function notifications(
  frames: readonly EncodedFrame[],
  { mayRead }: Pick<Rights, "mayRead">,
): Response {
  if (!mayRead(EVENT_CHANNEL)) {
    return refuse(STATUS_CODE.Forbidden, "your token does not allow this channel");
  }
  const list = frames.map(({ text }) => text).join(",");
  return replyText(STATUS_CODE.OK, `{"notifications":[${list}]}` as JsonText);
}
