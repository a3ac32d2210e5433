/** Checks of how the hub ends connections, each on a connection of its own. */
import { CLOSE } from "../../protocol/close_code.ts";
import { type Check, failed, ok } from "./check.ts";
import { codeOf, openWelcomed, type ProbeContext } from "./context.ts";
import { CLOSE_MS, type ProbeSocket } from "./socket.ts";

/** Bad messages after which the protocol has a client closed. */
const MAX_BAD_MESSAGES = 20;

/**
 * Sizes tried, in KiB: more than a hub takes by default, and more than any should. Still larger
 * ones would cost the hub memory that its other clients may need.
 */
const TOO_BIG_KIB = [128, 1024, 8192];

/**
 * From this size on, in KiB, a hub may cut the line before all has come, to keep its memory; then
 * its close frame seldom gets through to a client that is still sending.
 */
const CUT_OFF_KIB = 1024;

/** Closes a connection in good order. */
export async function checkClose(socket: ProbeSocket): Promise<Check> {
  if (socket.closed) {
    const { code, reason } = socket.closed;
    return failed("close", `the hub had closed it before: code ${code} ${reason}`);
  }
  const closed = await socket.close();
  if (closed === undefined) return failed("close", `no answer to a close within ${CLOSE_MS} ms`);
  const { code, wasClean } = closed;
  return wasClean && code === 1000
    ? ok("close", "code 1000 was answered with 1000")
    : failed("close", `code 1000 was answered with ${wasClean ? code : "the end of the line"}`);
}

export async function checkBadMessageLimit(context: ProbeContext): Promise<Check> {
  const name = "bad_message_limit";
  const opened = await openWelcomed(context, { channels: "error" });
  if (opened === undefined) return failed(name, "no further connection was let in");
  await using socket = opened.socket;
  // Whether it calls them bad or too many, each counts.
  const isComplaint = (code: string | undefined) =>
    code === "BAD_MESSAGE" || code === "RATE_LIMITED";
  const complaints = () => socket.since(0).filter(({ frame }) => isComplaint(codeOf(frame))).length;
  for (let sent = 1; sent < MAX_BAD_MESSAGES; sent++) socket.sendText("no JSON");
  await socket.waitFor(() => complaints() >= MAX_BAD_MESSAGES - 1, { from: 0 });
  if (socket.closed) {
    return failed(name, `closed with ${socket.closed.code} after ${complaints()} bad messages`);
  }
  if (complaints() < MAX_BAD_MESSAGES - 1) {
    return failed(name, `of ${MAX_BAD_MESSAGES - 1} bad messages ${complaints()} were answered`);
  }
  socket.sendText("no JSON");
  const closed = await socket.waitForClose();
  if (closed === undefined) return failed(name, `open after ${MAX_BAD_MESSAGES} bad messages`);
  const { code } = CLOSE.badMessages;
  return closed.code === code
    ? ok(name, `the ${MAX_BAD_MESSAGES}th ended the connection with ${code}`)
    : failed(
      name,
      `the ${MAX_BAD_MESSAGES}th ended the connection with ${closed.code}, not ${code}`,
    );
}

export async function checkMessageSize(context: ProbeContext): Promise<Check> {
  const name = "message_size";
  const opened = await openWelcomed(context, { channels: "error" });
  if (opened === undefined) return failed(name, "no further connection was let in");
  await using socket = opened.socket;
  const { code } = CLOSE.tooBig;
  for (const kib of TOO_BIG_KIB) {
    const from = socket.count;
    socket.sendText(JSON.stringify("x".repeat(kib * 1024)));
    await socket.waitFor((frame) => codeOf(frame) === "BAD_MESSAGE", { from });
    // It was read, and found to be no message: this hub allows more.
    if (socket.closed === undefined && socket.count > from) continue;
    const closed = await socket.waitForClose(CLOSE_MS);
    if (closed === undefined) return failed(name, `${kib} KiB was neither answered nor refused`);
    if (closed.code === code) return ok(name, `${kib} KiB ended the connection with ${code}`);
    return kib >= CUT_OFF_KIB && !closed.wasClean
      ? ok(name, `${kib} KiB was cut off before it was all sent`)
      : failed(name, `${kib} KiB ended the connection with ${closed.code}, not ${code}`);
  }
  return failed(name, `a message of ${TOO_BIG_KIB.at(-1)} KiB was read`);
}
