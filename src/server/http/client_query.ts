import type { ConnectOptions } from "../../hub/connects.ts";
import type { Resume } from "../../hub/resume/resume.ts";
import type { RequestInfo } from "./request_info.ts";

/** Longer than any session or epoch of a hub; what is longer is none, and need not be in a log. */
const MAX_ID_LENGTH = 64;

/** What a client's address says it wants: channels, batching, and where to go on from. */
export function readClientQuery(info: RequestInfo): ConnectOptions {
  const channels = channelsOf(info.query);
  const resume = resumeOf(info);
  return {
    address: info.clientAddress,
    batch: info.query.get("batch") === "1",
    delta: info.query.get("delta") === "1",
    ...(channels === undefined ? {} : { channels }),
    ...(resume === undefined ? {} : { resume }),
  };
}

/** The channels a query asks for; undefined, which is all, if it does not say or says nothing. */
function channelsOf(query: URLSearchParams): string[] | undefined {
  const channels = query.getAll("channels").flatMap((list) => list.split(","))
    .map((channel) => channel.trim()).filter((channel) => channel !== "");
  return channels.length > 0 ? [...new Set(channels)] : undefined;
}

function resumeOf({ query, headers }: RequestInfo): Resume | undefined {
  // An event stream that reconnects by itself repeats its address and adds where it was since.
  const eventId = headers.get("last-event-id") ?? "";
  if (eventId !== "") return fromEventId(eventId);
  const session = query.get("session");
  const epoch = query.get("epoch");
  const since = query.get("since");
  if (session === null && epoch === null && since === null) return undefined;
  return {
    ...(session === null ? {} : { session: session.slice(0, MAX_ID_LENGTH) }),
    ...(epoch === null ? {} : { epoch: epoch.slice(0, MAX_ID_LENGTH) }),
    ...(since === null ? {} : { since: numberOf(since) }),
  };
}

/** Where an event stream was, by the `id` it got last: `SEQ.EPOCH`, else it is nowhere. */
function fromEventId(id: string): Resume {
  const [since = "", ...epoch] = id.split(".");
  return {
    since: numberOf(since),
    ...(epoch.length === 0 ? {} : { epoch: epoch.join(".").slice(0, MAX_ID_LENGTH) }),
    isEventId: true,
  };
}

function numberOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}
