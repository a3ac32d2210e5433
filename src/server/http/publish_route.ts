// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { PublishReceipt } from "../../cluster/cluster_options.ts";
import { ClusterUnreachable } from "../../cluster/unreachable.ts";
import { channelKind, EVENT_CHANNEL, isChannelName } from "../../protocol/channel.ts";
import { json, type JsonText } from "../../protocol/codec.ts";
import { MAX_JSON_DEPTH, type ScannedJson } from "../../protocol/json_scanner.ts";
import { DURATION_GRAMMAR, parseDuration } from "../../config/duration.ts";
import { type CommandOptions, readCommand, stringOf } from "./command_body.ts";
import { refuse, reply, retryLater } from "./reply.ts";

/** Where what is published goes. */
export interface Publisher {
  /** The status channels there are. */
  statusChannels(): readonly string[];
  /** Whether a source feeds this channel. */
  isFed(channel: string): boolean;
  /**
   * Sends an event to everybody.
   *
   * @throws {ClusterUnreachable} If it cannot be said whether the other hubs heard of it.
   */
  publishEvent(channel: string, data: JsonText): Promise<PublishReceipt>;
  /** Makes this the latest value of a status channel; otherwise as `publishEvent`. */
  publishValue(
    channel: string,
    data: JsonText,
    options?: { validForMs?: number },
  ): Promise<PublishReceipt>;
}

export interface PublishOptions extends CommandOptions {
  publisher: Publisher;
}

/** `POST /publish {channel, data, valid_for?}`: broadcasts from outside. */
export async function publish(request: Request, options: PublishOptions): Promise<Response> {
  const scanned = await readCommand(request, options, MEMBERS);
  if (scanned instanceof Response) return scanned;
  const message = messageOf(scanned);
  if (typeof message === "string") return refuse(STATUS_CODE.BadRequest, message);
  try {
    return await send(message, options);
  } catch (error) {
    if (!(error instanceof ClusterUnreachable)) throw error;
    if (error.isTooLarge) return refuse(STATUS_CODE.ContentTooLarge, error.message);
    const why = `it is not certain that the cluster has it: ${error.message}`;
    return refuse(STATUS_CODE.ServiceUnavailable, why, retryLater());
  }
}

interface PublishMessage {
  readonly channel: string;
  /** As its publisher wrote it. */
  readonly data: JsonText;
  readonly validForMs?: number;
}

async function send(
  { channel, data, validForMs }: PublishMessage,
  { publisher, identity }: PublishOptions,
): Promise<Response> {
  if (channelKind(channel) === "hub") {
    return refuse(
      STATUS_CODE.Forbidden,
      `"${channel}" is the hub's own channel: only the hub sends on it`,
    );
  }
  if (!identity.mayRead(channel)) {
    return refuse(STATUS_CODE.Forbidden, `your token does not allow the channel "${channel}"`);
  }
  if (channel === EVENT_CHANNEL) {
    if (!data.startsWith("{")) {
      return refuse(
        STATUS_CODE.BadRequest,
        `"data" of a notification is an object such as {"title":"backup done","level":"info"}`,
      );
    }
    if (validForMs !== undefined) {
      return refuse(
        STATUS_CODE.BadRequest,
        '"valid_for" is for values of status channels; a notification does not grow old',
      );
    }
    return reply(STATUS_CODE.Accepted, await publisher.publishEvent(channel, data));
  }
  if (publisher.isFed(channel)) {
    return refuse(STATUS_CODE.Conflict, `"${channel}" is fed by a source; publish on another`);
  }
  const channels = publisher.statusChannels();
  if (!channels.includes(channel)) {
    const open = [EVENT_CHANNEL, ...channels.filter((name) => !publisher.isFed(name))];
    return refuse(
      STATUS_CODE.NotFound,
      `there is no channel "${channel}" to publish on; there are: ${
        open.filter(identity.mayRead).join(", ")
      }`,
    );
  }
  const options = validForMs === undefined ? {} : { validForMs };
  return reply(STATUS_CODE.Accepted, await publisher.publishValue(channel, data, options));
}

const MEMBERS = ["channel", "data", "valid_for"] as const;

/** The message in a body, or what is wrong with it. */
function messageOf(scanned: ScannedJson): PublishMessage | string {
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
  const validFor = scanned.members.get("valid_for");
  if (validFor === undefined) return { channel, data };
  const validForMs = parseDuration(stringOf(validFor) ?? "");
  if (!validForMs) { // 0 would be stale at once
    return `"valid_for" must be ${DURATION_GRAMMAR}, above 0`;
  }
  return { channel, data, validForMs };
}

const EXAMPLE = json({ channel: EVENT_CHANNEL, data: { title: "backup done", level: "info" } });
