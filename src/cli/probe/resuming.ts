/** Checks of taking up a connection again. */
import { channelKind, ERROR_TYPES } from "../../protocol/channel.ts";
import { type Check, failed, ok, skipped } from "./check.ts";
import { openWelcomed, type ProbeContext } from "./context.ts";
import { isObject, type Json } from "./shapes.ts";
import type { HeardFrame } from "./socket.ts";

/** Where a connection began and where it had come to. */
export interface PastSession {
  readonly session: string;
  readonly epoch: string;
  /** The welcome's `seq`. */
  readonly startSeq: number;
  /** The highest `seq` that came. */
  readonly lastSeq: number;
  /** Whether events and errors that came, with their `seq`; the oldest are missing if `isCut`. */
  readonly events: readonly number[];
  readonly isCut: boolean;
}

/** An `epoch` no hub has. */
const NO_SUCH_EPOCH = "holdfast-probe-no-such-epoch";

/** Whether a frame is one of those that are kept for clients that resume. */
export function isKept({ frame: { type, seq } }: HeardFrame): boolean {
  const isError = (ERROR_TYPES as readonly string[]).includes(type);
  return typeof seq === "number" && (isError || channelKind(type) === "event");
}

export async function checkResume(context: ProbeContext, past: PastSession): Promise<Check> {
  const { session, epoch, lastSeq } = past;
  const resumed = await welcomeOf(context, { session, epoch, since: String(lastSeq) });
  if (resumed === undefined) return failed("resume", "a resuming connection got no welcome");
  if (resumed["epoch"] !== epoch) {
    return failed("resume", "another epoch than a moment ago: the hub was restarted meanwhile");
  }
  if (resumed["recovered"] !== true || resumed["gap"] !== false) {
    return failed("resume", `resumed at once, and got ${outcome(resumed)}`);
  }
  const strange = { session, epoch: NO_SUCH_EPOCH, since: "1" };
  const foreign = await welcomeOf(context, strange);
  if (foreign === undefined) return failed("resume", "a resume from another epoch got no welcome");
  if (foreign["recovered"] !== false || foreign["gap"] !== true) {
    return failed("resume", `claims of another epoch that nothing was lost: ${outcome(foreign)}`);
  }
  return ok("resume", "recovered at once; another epoch is told of a gap");
}

export async function checkReplay(context: ProbeContext, past: PastSession): Promise<Check> {
  const { session, epoch, startSeq, events, isCut } = past;
  if (events.length === 0) return skipped("replay", "no event came that could be replayed");
  if (isCut) return skipped("replay", "more events came than this probe remembers");
  const opened = await openWelcomed(context, { session, epoch, since: String(startSeq) });
  if (opened === undefined) return failed("replay", "a resuming connection got no welcome");
  await using socket = opened.socket;
  const { data } = opened.welcome;
  if (!isObject(data) || data["recovered"] !== true) {
    return skipped("replay", "the hub says that it no longer has them (gap)");
  }
  const isLast = events.at(-1);
  await socket.waitFor(({ seq }) => seq === isLast, { from: 0 });
  const came = new Set(socket.since(0).filter(isKept).map(({ frame }) => frame.seq));
  const missing = events.filter((seq) => !came.has(seq));
  return missing.length === 0 ? ok("replay", `${events.length} events were replayed`) : failed(
    "replay",
    `recovered, it says, but ${missing.length} of ${events.length} did not come`,
  );
}

async function welcomeOf(
  context: ProbeContext,
  query: Readonly<Record<string, string>>,
): Promise<Json | undefined> {
  const opened = await openWelcomed(context, query);
  if (opened === undefined) return undefined;
  await using _socket = opened.socket;
  return isObject(opened.welcome.data) ? opened.welcome.data : undefined;
}

function outcome({ recovered, gap }: Json): string {
  return `recovered: ${recovered}, gap: ${gap}`;
}
