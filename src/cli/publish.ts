import { EVENT_CHANNEL, isChannelName } from "../protocol/channel.ts";
import { type Clock, systemClock } from "../resilience/clock.ts";
import { DURATION_GRAMMAR, parseDuration } from "../config/duration.ts";
import { readTarget, type TargetFlags } from "./client_flags.ts";
import { EXIT, type Io } from "./io.ts";
import { printable } from "./printable.ts";
import { deliver, type Delivered } from "./publish/delivery.ts";
import { readInput, valueOf } from "./publish/value.ts";
import { stopSignal } from "./stop_signal.ts";

/** As on the command line, unchecked. */
export interface PublishFlags extends TargetFlags {
  /** How long the value holds, unless a newer one comes. Default: as its channel is configured. */
  validFor?: string;
}

/** What `publish` needs of the world beside its {@linkcode Io}; tests give it another one. */
export interface PublishWorld {
  /** Default: standard input. */
  input?: ReadableStream<Uint8Array>;
  /** Default: SIGINT and SIGTERM. */
  signal?: AbortSignal;
  clock?: Clock;
  random?: () => number;
}

/**
 * `holdfast publish`: one value or event, from an argument or standard input. Returns the exit
 * code: 0 accepted, 1 not, or nobody knows; 2 bad usage.
 */
export async function publish(
  [url, channel, argument]: readonly [url: string, channel: string, argument: string | undefined],
  flags: PublishFlags,
  io: Io,
  world: PublishWorld = {},
): Promise<number> {
  const { input = Deno.stdin.readable, clock = systemClock, random } = world;
  const problems: string[] = [];
  using target = readTarget(url, flags, io, problems);
  if (!isChannelName(channel)) {
    problems.push(`CHANNEL: found ${JSON.stringify(channel)}; expected a channel's name`);
  }
  if (flags.validFor !== undefined && !parseDuration(flags.validFor)) {
    const found = JSON.stringify(flags.validFor);
    problems.push(`--valid-for: found ${found}; expected ${DURATION_GRAMMAR}`);
  }
  const isFromInput = argument === undefined || argument === "-";
  const value = problems.length > 0
    ? undefined
    : isFromInput
    ? await readInput(input)
    : valueOf(argument, "JSON");
  if (value?.ok === false) problems.push(value.why);
  if (target === undefined || !value?.ok || problems.length > 0) {
    for (const problem of problems) io.err(`holdfast: ${printable(problem)}`);
    return EXIT.usage;
  }

  using stop = world.signal ? undefined : stopSignal();
  const signal = world.signal ?? stop?.signal ?? new AbortController().signal;
  const say = (line: string) => io.err(`holdfast: ${printable(`${target.url}: ${line}`)}`);
  const validFor = flags.validFor === undefined
    ? ""
    : `,"valid_for":${JSON.stringify(flags.validFor)}`;
  const body = `{"channel":"${channel}","data":${value.json}${validFor}}`;
  let delivered: Delivered;
  try {
    delivered = await deliver(`${target.address.door.replace(/\/ws$/, "")}/publish`, body, {
      clock,
      signal,
      token: target.token,
      fetch: target.access.fetch,
      isIdempotent: channel !== EVENT_CHANNEL,
      onRetry: (why, waitMs) => say(`${why}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
      ...(random ? { random } : {}),
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    say("interrupted: it is not known whether it was accepted");
    return EXIT.failure;
  }
  switch (delivered.kind) {
    case "accepted":
      io.out(delivered.answer);
      return EXIT.ok;
    case "refused":
      say(`not accepted: ${delivered.why}`);
      break;
    case "failed":
      say(`not accepted after ${delivered.tries} tries: ${delivered.why}`);
      break;
    case "unknown":
      say(
        `it is not known whether it was accepted, and a second try could send it twice: ${delivered.why}`,
      );
  }
  return EXIT.failure;
}
