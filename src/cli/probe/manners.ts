/** Checks that take a word or two on a connection: ping, bad messages, subscriptions. */
import { type Check, failed, ok, skipped } from "./check.ts";
import { codeOf, converse, type ProbeContext } from "./context.ts";
import { isObject, type Json, type RawFrame, shown } from "./shapes.ts";
import type { ProbeSocket } from "./socket.ts";

/** How soon "at once" is, in milliseconds: a latest value may take this long to come. */
export const AT_ONCE_MS = 1500;

/** How long a channel that was left is listened for, in milliseconds. */
const SILENCE_MS = 500;

/** A name that no hub has. */
const NO_SUCH_CHANNEL = "holdfast_probe_no_such_channel";

export async function checkPing(context: ProbeContext, socket: ProbeSocket): Promise<Check> {
  const times: number[] = [];
  for (const id of [crypto.randomUUID(), 42]) {
    const startedAt = context.clock.now();
    const text = JSON.stringify({ type: "ping", id });
    const pong = await converse(context, socket, text, ({ type }) => type === "pong");
    if (pong === undefined) return failed("ping", `no pong${endOf(socket)}`);
    const { data } = pong.frame;
    const back = isObject(data) ? data["id"] : undefined;
    if (back !== id) return failed("ping", `the id ${shown(id)} came back as ${shown(back)}`);
    times.push(pong.at - startedAt);
  }
  return ok("ping", `ids came back; ${times.map((ms) => `${ms.toFixed(1)} ms`).join(", ")}`);
}

export async function checkBadMessage(
  context: ProbeContext,
  socket: ProbeSocket,
): Promise<Check> {
  const isAnswer = (frame: RawFrame) => codeOf(frame) === "BAD_MESSAGE";
  for (const text of ["this is no JSON", `{"type":"holdfast_probe"}`]) {
    const answer = await converse(context, socket, text, isAnswer);
    if (answer === undefined) {
      return failed("bad_message", `${text} was not answered with BAD_MESSAGE${endOf(socket)}`);
    }
  }
  const pong = await converse(context, socket, `{"type":"ping"}`, ({ type }) => type === "pong");
  if (pong === undefined) {
    return failed("bad_message", `the connection did not stay: no pong${endOf(socket)}`);
  }
  return ok("bad_message", "two were answered with BAD_MESSAGE, the connection stays");
}

export async function checkUnknownChannel(
  context: ProbeContext,
  socket: ProbeSocket,
): Promise<Check> {
  const text = JSON.stringify({ type: "subscribe", channels: [NO_SUCH_CHANNEL] });
  const from = socket.count;
  const answer = await converse(
    context,
    socket,
    text,
    (frame) => codeOf(frame) === "UNKNOWN_CHANNEL" || frame.type === "subscribed",
  );
  if (answer === undefined) return failed("unknown_channel", `no answer${endOf(socket)}`);
  // Error and answer may come in either order.
  const told = await socket.waitFor((frame) => codeOf(frame) === "UNKNOWN_CHANNEL", { from });
  if (told === undefined) {
    return failed("unknown_channel", `"${NO_SUCH_CHANNEL}" was taken without a word`);
  }
  const listed = await socket.waitFor(({ type }) => type === "subscribed", { from });
  if (listed && channelsOf(listed.frame).includes(NO_SUCH_CHANNEL)) {
    return failed("unknown_channel", `"${NO_SUCH_CHANNEL}" was subscribed to all the same`);
  }
  return ok("unknown_channel", "answered with UNKNOWN_CHANNEL");
}

/** What the connection is subscribed to, and which of it has a value. */
export interface Subscribed {
  readonly channels: readonly string[];
  readonly withValue: readonly string[];
}

export async function checkSubscribe(
  context: ProbeContext,
  socket: ProbeSocket,
  { channels, withValue }: Subscribed,
): Promise<Check> {
  const channel = withValue[0] ?? channels[0];
  if (channel === undefined) return skipped("subscribe", "there is no channel to try it on");
  const left = await change(context, socket, "unsubscribe", channel);
  if (left === undefined) {
    return failed("subscribe", `no answer to unsubscribe${endOf(socket)}`);
  }
  if (left.includes(channel)) {
    return failed("subscribe", `still subscribed to "${channel}" after leaving it`);
  }
  const silentFrom = socket.count;
  const late = await socket.waitFor(({ type }) => type === channel, {
    from: silentFrom,
    timeoutMs: SILENCE_MS,
  });
  if (late) return failed("subscribe", `"${channel}" still came after it was left`);
  const from = socket.count;
  const back = await change(context, socket, "subscribe", channel);
  if (back === undefined) return failed("subscribe", `no answer to subscribe${endOf(socket)}`);
  if (!back.includes(channel)) {
    return failed("subscribe", `not subscribed to "${channel}" after asking for it`);
  }
  if (withValue.length === 0) return ok("subscribe", `left "${channel}" and came back`);
  const value = await socket.waitFor(({ type }) => type === channel, {
    from,
    timeoutMs: AT_ONCE_MS,
  });
  if (value === undefined) {
    return failed("subscribe", `"${channel}" has a value, but subscribing did not bring it`);
  }
  return ok("subscribe", `left "${channel}", silent; came back and got its value at once`);
}

async function change(
  context: ProbeContext,
  socket: ProbeSocket,
  type: "subscribe" | "unsubscribe",
  channel: string,
): Promise<readonly string[] | undefined> {
  const text = JSON.stringify({ type, channels: [channel] });
  const heard = await converse(context, socket, text, (frame) => frame.type === "subscribed");
  return heard && channelsOf(heard.frame);
}

function channelsOf({ data }: RawFrame): readonly string[] {
  const channels = (data as Json | null)?.["channels"];
  return Array.isArray(channels) ? channels : [];
}

/** How the connection ended, if it did, as the end of a sentence. */
export function endOf({ closed }: ProbeSocket): string {
  return closed === undefined ? "" : `; the hub closed the connection (code ${closed.code})`;
}
