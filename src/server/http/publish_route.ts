// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { PublishReceipt } from "../../cluster/cluster_options.ts";
import { ClusterUnreachable } from "../../cluster/unreachable.ts";
import { channelKind, EVENT_CHANNEL, isChannelName } from "../../protocol/channel.ts";
import { json, type JsonText } from "../../protocol/codec.ts";
import { MAX_JSON_DEPTH, type ScannedJson } from "../../protocol/json_scanner.ts";
import { readBoundedBody } from "../../rpc/http/bounded_body.ts";
import { readJson } from "../../rpc/http/read_json.ts";
import type { Identity } from "../door/identity.ts";
import { noPlace, refuse, reply, retryLater } from "./reply.ts";

export interface PublishOptions {
  identity: Pick<Identity, "mayRead" | "mayPublish">;
  /** Largest body taken, in bytes. */
  maxBytes: number;
  /** The status channels there are. */
  statusChannels: () => readonly string[];
  /** Whether a source feeds this channel. */
  isFed: (channel: string) => boolean;
  /** Sends an event to everybody. */
  publishEvent: (channel: string, data: JsonText) => Promise<PublishReceipt>;
  /** Makes this the latest value of a status channel. */
  publishStatus: (channel: string, data: JsonText) => Promise<PublishReceipt>;
  /** How long a publisher may take to send its body, in milliseconds. */
  bodyTimeoutMs: number;
  /** Whether the door has closed: what would be accepted now might reach nobody. */
  isDraining: () => boolean;
}

/** `POST /publish {channel, data}`: broadcasts from outside. */
export async function publish(request: Request, options: PublishOptions): Promise<Response> {
  const { identity, maxBytes, bodyTimeoutMs, isDraining } = options;
  if (isDraining()) return noPlace("draining");
  if (!identity.mayPublish) {
    return refuse(
      STATUS_CODE.Forbidden,
      `publishing takes a token that has "publish": true (auth.tokens in the configuration)`,
    );
  }
  let scanned: ScannedJson;
  try {
    // Not the request's own signal: the runtime warns of it on stderr, amid the log, and a body that
    // breaks off says so itself.
    const signal = AbortSignal.timeout(bodyTimeoutMs);
    const body = await readBoundedBody(request, { maxBytes, signal });
    if (body.kind === "too_large") {
      return refuse(STATUS_CODE.ContentTooLarge, `the body is larger than ${maxBytes} bytes`);
    }
    if (body.kind === "not_utf8") return refuse(STATUS_CODE.BadRequest, "the body is not UTF-8");
    scanned = await readJson(body.text, { signal, members: MEMBERS });
  } catch {
    return refuse(STATUS_CODE.BadRequest, "the body did not arrive whole and in time");
  }
  const message = messageOf(scanned);
  if (typeof message === "string") return refuse(STATUS_CODE.BadRequest, message);
  if (isDraining()) return noPlace("draining"); // while the body was on its way
  try {
    return await send(message, options);
  } catch (error) {
    if (!(error instanceof ClusterUnreachable)) throw error;
    if (error.isTooLarge) return refuse(STATUS_CODE.ContentTooLarge, error.message);
    const why = `it is not certain that the cluster has it: ${error.message}`;
    return refuse(STATUS_CODE.ServiceUnavailable, why, retryLater());
  }
}

interface Message {
  readonly channel: string;
  /** As its publisher wrote it. */
  readonly data: JsonText;
}

async function send({ channel, data }: Message, options: PublishOptions): Promise<Response> {
  const { statusChannels, isFed, publishEvent, publishStatus } = options;
  if (channelKind(channel) === "hub") {
    return refuse(STATUS_CODE.Forbidden, `"${channel}" is the hub's own; nobody else speaks there`);
  }
  if (!options.identity.mayRead(channel)) {
    return refuse(STATUS_CODE.Forbidden, `your token does not allow the channel "${channel}"`);
  }
  if (channel === EVENT_CHANNEL) {
    if (!data.startsWith("{")) {
      return refuse(
        STATUS_CODE.BadRequest,
        `"data" of a notification is an object such as {"title":"backup done","level":"info"}`,
      );
    }
    return reply(STATUS_CODE.Accepted, await publishEvent(channel, data));
  }
  if (isFed(channel)) {
    return refuse(STATUS_CODE.Conflict, `"${channel}" is fed by a source; publish on another`);
  }
  if (!statusChannels().includes(channel)) {
    const open = [EVENT_CHANNEL, ...statusChannels().filter((name) => !isFed(name))];
    return refuse(
      STATUS_CODE.NotFound,
      `there is no channel "${channel}" to publish on; there are: ${
        open.filter(options.identity.mayRead).join(", ")
      }`,
    );
  }
  return reply(STATUS_CODE.Accepted, await publishStatus(channel, data));
}

const MEMBERS = ["channel", "data"] as const;

/** The message in a body, or what is wrong with it. */
function messageOf(scanned: ScannedJson): Message | string {
  if (!scanned.ok) {
    return scanned.why === "too_deep"
      ? `the body is nested more than ${MAX_JSON_DEPTH} deep`
      : `the body is not JSON; send ${EXAMPLE}`;
  }
  if (scanned.kind !== "object") return `the body is not an object; send ${EXAMPLE}`;
  const channel = stringOf(scanned.members.get("channel"));
  if (channel === undefined || !isChannelName(channel)) {
    return `"channel" is not a channel's name; send ${EXAMPLE}`;
  }
  const data = scanned.members.get("data");
  if (data === undefined) return `"data" is missing; send ${EXAMPLE}`;
  const unknown = scanned.unknownMember;
  if (unknown !== undefined) {
    return `${JSON.stringify(unknown.slice(0, 64))} is not known; send ${EXAMPLE}`;
  }
  return { channel, data };
}

function stringOf(text: JsonText | undefined): string | undefined {
  return text?.startsWith(`"`) ? JSON.parse(text) : undefined;
}

const EXAMPLE = json({ channel: EVENT_CHANNEL, data: { title: "backup done", level: "info" } });
