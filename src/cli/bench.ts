import { type Clock, systemClock } from "../resilience/clock.ts";
import { type LoadResult, runLoad } from "./bench/load.ts";
import { ProgressBar } from "./bench/progress_bar.ts";
import { resultJson, resultLines } from "./bench/report.ts";
import { type HubTarget, readFor, readTarget, type TargetFlags } from "./client_flags.ts";
import { EXIT, type Io } from "./io.ts";
import { ask } from "./probe/ask.ts";
import { processScreen, type Screen } from "./screen.ts";
import { stopSignal } from "./stop_signal.ts";

/** As on the command line, unchecked. */
export interface BenchFlags extends TargetFlags {
  clients?: string;
  for?: string;
  /** The result as one JSON object. */
  json?: boolean;
  /** The hub may be on another machine. */
  yesThisIsMine?: boolean;
}

/** What `bench` needs of the world beside its {@linkcode Io}; tests give it another one. */
export interface BenchWorld {
  /** Default: SIGINT and SIGTERM. */
  signal?: AbortSignal;
  clock?: Clock;
  /** Where the progress bar is drawn. Default: standard error. */
  screen?: Screen;
}

const DEFAULT_CLIENTS = 100;
const MAX_CLIENTS = 10_000;
const DEFAULT_FOR_MS = 10_000;
const FOR = {
  min: 100,
  max: 3_600_000,
  allowed: `a duration such as "10s" or "2m", from "100ms" to "1h"`,
};

/** This machine, by the names that can be nothing else. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i;

/** `holdfast bench`: puts a hub under the load of many clients. Returns the exit code. */
export async function bench(
  url: string,
  flags: BenchFlags,
  io: Io,
  world: BenchWorld = {},
): Promise<number> {
  const { clock = systemClock, screen = processScreen(Deno.stderr) } = world;
  const problems: string[] = [];
  using target = readTarget(url, flags, io, problems);
  const clients = readClients(flags.clients, problems);
  const forMs = readFor(flags.for, FOR, problems) ?? DEFAULT_FOR_MS;
  const isHere = target && LOOPBACK.test(new URL(target.url).hostname);
  if (target && !isHere && !flags.yesThisIsMine) {
    problems.push(
      "URL: found another machine's; a load may bring a hub down: " +
        "add --yes-this-is-mine if it is yours and meant",
    );
  }
  if (target === undefined || problems.length > 0) {
    for (const problem of problems) io.err(`holdfast: ${problem}`);
    return EXIT.usage;
  }
  using stop = world.signal ? undefined : stopSignal();
  const signal = world.signal ?? stop?.signal ?? new AbortController().signal;
  const result = await load(target, { clients, forMs, clock, signal, screen });
  if (result.kind === "not_connected") {
    io.err(
      `holdfast: ${result.connected} of ${clients} clients were let in${await why(target, signal)}`,
    );
    return EXIT.failure;
  }
  if (flags.json) io.out(resultJson(clients, result));
  else for (const line of resultLines(clients, result)) io.out(line);
  if (result.connectedAtEnd === clients) return EXIT.ok;
  io.err(`holdfast: ${result.connectedAtEnd} of ${clients} clients were connected at the end`);
  return EXIT.failure;
}

interface BenchSettings {
  clients: number;
  forMs: number;
  clock: Clock;
  signal: AbortSignal;
  screen: Screen;
}

async function load(
  { address, token, access }: HubTarget,
  { screen, ...settings }: BenchSettings,
): Promise<LoadResult> {
  using bar = new ProgressBar(screen);
  return await runLoad({
    ...settings,
    url: address.socket,
    token,
    access,
    onProgress: (progress) => bar.show(progress),
  });
}

/** Why the hub lets no more clients in, as the end of a sentence. */
async function why({ address, token, access }: HubTarget, signal: AbortSignal): Promise<string> {
  if (signal.aborted) return ": interrupted";
  const reply = await ask(address, "/ws", { token, access, signal });
  if (!reply.ok) return `: the hub ${reply.why}`;
  const { status } = reply;
  if (status === 401) return ": HTTP 401; give a token with --token or HOLDFAST_TOKEN";
  return status === 426 ? "" : `: HTTP ${status}`; // 426: the door is open again
}

function readClients(text: string | undefined, problems: string[]): number {
  if (text === undefined) return DEFAULT_CLIENTS;
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MAX_CLIENTS) return count;
  problems.push(
    `--clients: found ${JSON.stringify(text)}; expected a whole number from 1 to ${MAX_CLIENTS}`,
  );
  return DEFAULT_CLIENTS;
}
