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

/** `GET /snapshot`: the latest value of every channel that has one and that the asker may read. */
export function allSnapshots(source: SnapshotSource, { mayRead }: Identity): Response {
  const members = source.statusChannels().filter(mayRead).flatMap((channel) => {
    const status = source.values.read(channel);
    return status ? [`"${channel}":${encodeStatusData(status)}`] : [];
  });
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
