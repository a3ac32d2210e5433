// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { json } from "../../protocol/codec.ts";
import type { ScannedJson } from "../../protocol/json_scanner.ts";
import { type CommandOptions, readCommand } from "./command_body.ts";
import { refuse, reply } from "./reply.ts";

/** Polls sources on request. */
export interface Poller {
  /** Whether a source feeds this channel. */
  isFed(channel: string): boolean;
  /** Has the sources of these channels polled at once, by whichever hub polls them. */
  pollNow(channels: readonly string[]): void;
}

export interface PollOptions extends CommandOptions {
  poller: Poller;
}

/** `POST /poll {channels}`: those sources are polled at once. */
export async function poll(request: Request, options: PollOptions): Promise<Response> {
  const { poller, identity } = options;
  const scanned = await readCommand(request, options, ["channels"]);
  if (scanned instanceof Response) return scanned;
  const channels = channelsOf(scanned);
  if (channels === undefined) {
    return refuse(STATUS_CODE.BadRequest, `the body is not as it should be; send ${EXAMPLE}`);
  }
  for (const channel of channels) {
    if (!identity.mayRead(channel)) {
      const shown = JSON.stringify(channel.slice(0, 64));
      return refuse(STATUS_CODE.Forbidden, `your token does not allow the channel ${shown}`);
    }
    if (!poller.isFed(channel)) {
      const shown = JSON.stringify(channel.slice(0, 64));
      return refuse(STATUS_CODE.NotFound, `no source feeds a channel ${shown}`);
    }
  }
  poller.pollNow(channels);
  return reply(STATUS_CODE.Accepted, { channels });
}

/** The channels a body names; undefined if it is not as it should be. */
function channelsOf(scanned: ScannedJson): string[] | undefined {
  if (!scanned.ok || scanned.kind !== "object" || scanned.unknownMember !== undefined) {
    return undefined;
  }
  const text = scanned.members.get("channels");
  if (!text?.startsWith("[")) return undefined;
  const channels: unknown[] = JSON.parse(text);
  const isWhole = channels.length > 0 && channels.every((each) => typeof each === "string");
  return isWhole ? [...new Set(channels as string[])] : undefined;
}

const EXAMPLE = json({ channels: ["system_status"] });
