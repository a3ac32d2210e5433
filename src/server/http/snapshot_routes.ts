// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import { encodeStatusData, type JsonText } from "../../protocol/codec.ts";
import type { ValueStore } from "../../values/value_store.ts";
import type { Identity } from "../door/identity.ts";
import { refuse, replyText } from "./reply.ts";

/** Where the latest values are to be had. */
export interface SnapshotSource {
  readonly statusChannels: () => readonly string[];
  readonly values: Pick<ValueStore, "read">;
}

/**
 * Longest text of all snapshots together, in UTF-16 units; the engine's strings end at 2^29. More is
 * refused: one channel at a time can always be had.
 */
const MAX_ALL_LENGTH = 256 * 1024 * 1024;

/** `GET /snapshot`: the latest value of every channel that has one and that the asker may read. */
export function allSnapshots(
  source: SnapshotSource,
  { mayRead }: Pick<Identity, "mayRead">,
  { maxLength = MAX_ALL_LENGTH } = {},
): Response {
  const members: string[] = [];
  let length = 0;
  for (const channel of source.statusChannels().filter(mayRead)) {
    const status = source.values.read(channel);
    if (status === undefined) continue;
    length += status.data.length;
    if (length > maxLength) {
      const why = "all values together are too large; ask for /snapshot/CHANNEL, one at a time";
      return refuse(STATUS_CODE.ServiceUnavailable, why);
    }
    members.push(`"${channel}":${encodeStatusData(status)}`);
  }
  return replyText(STATUS_CODE.OK, `{${members.join(",")}}` as JsonText);
}

/** `GET /snapshot/CHANNEL`. */
export function oneSnapshot(
  source: SnapshotSource,
  channel: string,
  { mayRead }: Identity,
): Response {
  // In this order: whether a channel exists is not for everybody to know.
  if (!mayRead(channel)) {
    return refuse(STATUS_CODE.Forbidden, "your token does not allow this channel");
  }
  const channels = source.statusChannels();
  if (!channels.includes(channel)) {
    const known = channels.filter(mayRead).join(", ");
    return refuse(STATUS_CODE.NotFound, `there is no such status channel; there are: ${known}`);
  }
  const status = source.values.read(channel);
  if (status === undefined) {
    const headers = { "retry-after": "1" };
    return refuse(STATUS_CODE.ServiceUnavailable, `"${channel}" has no value yet`, headers);
  }
  return replyText(STATUS_CODE.OK, encodeStatusData(status));
}
