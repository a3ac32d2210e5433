import { isStatusChannel } from "../../protocol/channel.ts";
import { type Check, CHECK_NAMES, type CheckName, failed, ok, skipped } from "./check.ts";
import { askHub, open, type ProbeContext } from "./context.ts";
import { checkBadMessageLimit, checkClose, checkMessageSize } from "./endings.ts";
import {
  AT_ONCE_MS,
  checkBadMessage,
  checkPing,
  checkSubscribe,
  checkUnknownChannel,
  endOf,
} from "./manners.ts";
import { Observation, type Welcome } from "./observation.ts";
import { checkAuth, checkHealthz, checkReadyz, judgeStatus, said } from "./paths.ts";
import { checkReplay, checkResume, type PastSession } from "./resuming.ts";
import { isObject, welcomeFaults } from "./shapes.ts";
import type { HeardFrame, ProbeSocket } from "./socket.ts";

export interface RunOptions {
  /** How long to listen, in milliseconds. Default: long enough for two heartbeats, 30 s at most. */
  forMs?: number;
  /** Called with each check as soon as it is done. */
  tell: (check: Check) => void;
}

/** Heartbeats listened for where nothing else is said. */
const BEATS = 2.3;
const DEFAULT_FOR_MS = { least: 3000, most: 30_000 };

/**
 * Runs every check against a hub, on one connection at a time, and tells of each in turn. What
 * could not be looked at is told as skipped, with why.
 */
export async function runChecks(context: ProbeContext, { forMs, tell }: RunOptions): Promise<void> {
  const told = new Set<CheckName>();
  const report = (check: Check) => {
    // Told to stop in the middle of a check: what it saw is not what the hub did.
    if (context.signal.aborted || told.has(check.name)) return;
    told.add(check.name);
    tell(check);
  };
  report(await checkHealthz(context));
  report(await checkAuth(context));
  const past = await checkConnection(context, { report, forMs });
  if (past) {
    report(await checkResume(context, past));
    report(await checkReplay(context, past));
    report(await checkBadMessageLimit(context));
    report(await checkMessageSize(context));
  } else report(await checkReadyz(context));
  for (const name of CHECK_NAMES) {
    if (told.has(name)) continue;
    tell(skipped(name, context.signal.aborted ? "interrupted" : "it needs what failed above"));
  }
}

interface WatchedConnectionOptions {
  report: (check: Check) => void;
  forMs: number | undefined;
}

/** Everything that is seen on one connection, from its handshake to its close. */
async function checkConnection(
  context: ProbeContext,
  { report, forMs }: WatchedConnectionOptions,
): Promise<PastSession | undefined> {
  const valued = await channelsWithValue(context);
  const early: HeardFrame[] = [];
  const rubbish: string[] = [];
  const listening: { observation?: Observation } = {};
  const startedAt = context.clock.now();
  const opened = await open(context, {}, {
    onFrame: (heard) => {
      if (listening.observation) listening.observation.note(heard);
      else early.push(heard);
    },
    onRubbish: (what) => {
      if (listening.observation) listening.observation.noteRubbish(what);
      else rubbish.push(what);
    },
  });
  if (opened === undefined) {
    report(failed("handshake", `refused: ${said(await askHub(context, "/ws"))}`));
    return undefined;
  }
  await using socket = opened;
  report(ok("handshake", `open after ${Math.round(context.clock.now() - startedAt)} ms`));
  await socket.waitFor(() => true, { from: 0 });
  const [first] = early;
  const welcome = first && welcomeOf(first);
  report(judgeWelcome(first, socket, rubbish));
  if (first === undefined || welcome === undefined) return undefined;

  const observation = new Observation(context, welcome, first.at);
  listening.observation = observation;
  for (const heard of early) observation.note(heard);
  for (const what of rubbish) observation.noteRubbish(what);
  const wanted = valued.filter((channel) => welcome.channels.includes(channel));
  report(await checkSnapshotSent(socket, wanted));
  report(await checkPing(context, socket));
  report(await checkBadMessage(context, socket));
  report(await checkUnknownChannel(context, socket));
  const channels = welcome.channels.filter(isStatusChannel);
  report(await checkSubscribe(context, socket, { channels, withValue: wanted }));
  await observation.watch(socket, first.at + (forMs ?? defaultFor(welcome.heartbeat_ms)));
  for (const check of observation.verdicts()) report(check);
  report(judgeStatus(observation.statusReply));
  report(await checkReadyz(context));
  report(await checkClose(socket));
  return observation.past;
}

function defaultFor(heartbeatMs: number): number {
  const { least, most } = DEFAULT_FOR_MS;
  return Math.min(most, Math.max(least, heartbeatMs * BEATS));
}

/** The channels `/snapshot` had a value of before the connection was made. */
async function channelsWithValue(context: ProbeContext): Promise<string[]> {
  const reply = await askHub(context, "/snapshot");
  return reply.ok && reply.status === 200 && isObject(reply.body) ? Object.keys(reply.body) : [];
}

function welcomeOf({ frame }: HeardFrame): Welcome | undefined {
  if (frame.type !== "welcome" || welcomeFaults(frame.data).length > 0) return undefined;
  return frame.data as Welcome;
}

function judgeWelcome(
  first: HeardFrame | undefined,
  socket: ProbeSocket,
  rubbish: readonly string[],
): Check {
  if (first === undefined) {
    const came = rubbish[0] === undefined ? "no frame came" : `no frame: ${rubbish[0]}`;
    return failed("welcome", `${came}${endOf(socket)}`);
  }
  const { type, data } = first.frame;
  if (type !== "welcome") return failed("welcome", `the first frame is a ${type}`);
  const faults = welcomeFaults(data);
  if (faults.length > 0) return failed("welcome", faults.join("; "));
  const { session, channels, heartbeat_ms } = data as Welcome;
  const { recovered, gap } = data as { recovered?: unknown; gap?: unknown };
  if (recovered !== false || gap !== false) {
    return failed("welcome", `recovered: ${recovered}, gap: ${gap}, though nothing was resumed`);
  }
  const seen =
    `session ${session}, ${channels.length} channels, a heartbeat every ${heartbeat_ms} ms`;
  return ok("welcome", seen);
}

async function checkSnapshotSent(
  socket: ProbeSocket,
  wanted: readonly string[],
): Promise<Check> {
  if (wanted.length === 0) return skipped("snapshot", "no channel has a value yet");
  const missing = () => {
    const came = new Set(socket.since(0).map(({ frame }) => frame.type));
    return wanted.filter((channel) => !came.has(channel));
  };
  await socket.waitFor(() => missing().length === 0, { from: 0, timeoutMs: AT_ONCE_MS });
  const names = missing();
  if (names.length === 0) return ok("snapshot", `on connecting: ${wanted.join(", ")}`);
  return failed("snapshot", `has a value, but was not sent on connecting: ${names.join(", ")}`);
}
