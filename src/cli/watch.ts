import { type ClientOptions, HoldfastClient } from "../client/mod.ts";
import { type ClientClock, systemClock } from "../client/time.ts";
import { readTarget, type TargetFlags } from "./client_flags.ts";
import { EXIT, type Io } from "./io.ts";
import { processScreen, type Screen } from "./screen.ts";
import { stopSignal } from "./stop_signal.ts";
import { styleFor } from "./style.ts";
import { LiveView } from "./watch/live_view.ts";
import { rawText } from "./watch/raw_text.ts";
import { jsonTail, plainTail } from "./watch/tail.ts";
import { printable } from "./printable.ts";
import { parseAsWritten } from "./watch/written_number.ts";
import { transportFailure } from "../rpc/transport_failure.ts";

/** As on the command line, unchecked. */
export interface WatchFlags extends TargetFlags {
  /** Channel names, with commas between. Default: all there are. */
  channels?: string;
  /** Frames as they were received, one a line. */
  json?: boolean;
}

/** What `watch` needs of the world beside its {@linkcode Io}; tests give it another one. */
export interface WatchWorld {
  /** Default: standard output. */
  screen?: Screen;
  /** Default: SIGINT and SIGTERM. */
  signal?: AbortSignal;
  clock?: ClientClock;
  backoff?: { minMs: number; maxMs: number };
}

/** Why a watch is over. */
type End =
  /** Whoever started it has seen enough, or nobody reads any more. */
  | { readonly kind: "enough" }
  /** The hub will not have this client. */
  | { readonly kind: "refused"; readonly code: string; readonly reason: string };

/** `holdfast watch`: shows what a hub says until a signal ends it. Returns the exit code. */
export async function watch(
  url: string,
  flags: WatchFlags,
  io: Io,
  world: WatchWorld = {},
): Promise<number> {
  const { screen = processScreen(Deno.stdout), clock = systemClock } = world;
  const problems: string[] = [];
  using target = readTarget(url, flags, io, problems);
  const channels = flags.channels?.split(",").map((name) => name.trim()).filter((name) => name);
  if (channels?.length === 0) problems.push(`--channels: found no name; expected names, as a,b`);
  const raw = flags.json ? rawText(target?.access.WebSocket) : undefined;
  let client: HoldfastClient | undefined;
  try {
    if (target && problems.length === 0) {
      client = new HoldfastClient(target.url, {
        clock,
        ...clientOptions(channels, target.token, world),
        fetch: target.access.fetch,
        explainFailure: transportFailure,
        WebSocket: raw?.WebSocket ?? target.access.WebSocket,
        ...(raw ? { batch: false, delta: false } : { parse: parseAsWritten }),
      });
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push(printable(error.message)); // a channel's name
  }
  if (client === undefined || target === undefined) {
    for (const problem of problems) io.err(`holdfast: ${problem}`);
    return EXIT.usage;
  }

  await using connected = client;
  using stop = world.signal ? undefined : stopSignal();
  const over = Promise.withResolvers<End>();
  const enough = () => over.resolve({ kind: "enough" });
  const signal = world.signal ?? stop?.signal;
  if (signal?.aborted) enough();
  signal?.addEventListener("abort", enough, { once: true });
  connected.on("state", (state) => {
    if (state.kind === "stopped") over.resolve({ ...state, kind: "refused" });
  });
  const out = (line: string) => {
    if (!screen.write(`${line}\n`)) enough();
  };
  const note = (line: string) => io.err(`holdfast: ${target.url}: ${line}`);
  const isLive = screen.isTerminal && io.env["TERM"] !== "dumb" && raw === undefined;
  using view = isLive
    ? new LiveView({
      client: connected,
      screen,
      clock,
      style: styleFor(screen, io.env),
      url: target.url,
      ...(channels ? { channels } : {}),
      onUnread: enough,
    })
    : undefined;
  // Within JSON the escapes of `printable` mean the same; and a pipe may end on a terminal as well.
  if (raw) jsonTail(connected, raw, { out: (line) => out(printable(line)), note });
  else if (!isLive) plainTail(connected, { out, note, unixSeconds: clock.unixSeconds });

  const end = await over.promise;
  signal?.removeEventListener("abort", enough);
  view?.[Symbol.dispose](); // the terminal first: closing may take a moment
  if (end.kind === "enough") return EXIT.ok;
  io.err(`holdfast: ${target.url}: ${printable(end.reason)}${adviceFor(end.code)}`);
  return EXIT.failure;
}

function clientOptions(
  channels: readonly string[] | undefined,
  token: string | undefined,
  { backoff }: WatchWorld,
): ClientOptions {
  return {
    ...(channels === undefined ? {} : { channels }),
    ...(token === undefined ? {} : { token }),
    ...(backoff === undefined ? {} : { backoff }),
  };
}

function adviceFor(code: string): string {
  return code === "unauthorized" ? "; give one it accepts with --token or HOLDFAST_TOKEN" : "";
}
