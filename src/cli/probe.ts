import { type Clock, systemClock } from "../resilience/clock.ts";
import { readFor, readTarget, type TargetFlags } from "./client_flags.ts";
import { EXIT, type Io } from "./io.ts";
import { printable } from "./printable.ts";
import { type Check, CHECK_NAMES } from "./probe/check.ts";
import { runChecks } from "./probe/run.ts";
import { stopSignal } from "./stop_signal.ts";
import { type Style, styleFor } from "./style.ts";

/** As on the command line, unchecked. */
export interface ProbeFlags extends TargetFlags {
  /** Each check as a JSON object on a line. */
  json?: boolean;
  /** How long to listen. Default: two heartbeats, 30 s at most. */
  for?: string;
}

/** What `probe` needs of the world beside its {@linkcode Io}; tests give it another one. */
export interface ProbeWorld {
  /** Default: SIGINT and SIGTERM. */
  signal?: AbortSignal;
  clock?: Clock;
  /** Whether a person reads the output, so that it may have colours. Default: if it is a terminal. */
  isTerminal?: boolean;
  /** The most that one wait for the hub may take, in milliseconds. Default 5000. */
  patienceMs?: number;
}

const FOR = {
  min: 1000,
  max: 3_600_000,
  allowed: `a duration such as "10s" or "2m", from "1s" to "1h"`,
};

/** What everything but the listening may take, in milliseconds: a hub may answer nothing at all. */
const OVERHEAD_MS = 60_000;
/** The longest a probe listens unasked, in milliseconds. */
const LONGEST_DEFAULT_MS = 30_000;

/** `holdfast probe`: checks a live hub against the protocol. Returns the exit code. */
export async function probe(
  url: string,
  flags: ProbeFlags,
  io: Io,
  world: ProbeWorld = {},
): Promise<number> {
  const { clock = systemClock, isTerminal = Deno.stdout.isTerminal(), patienceMs = 5000 } = world;
  const problems: string[] = [];
  using target = readTarget(url, flags, io, problems);
  const forMs = readFor(flags.for, FOR, problems);
  if (target === undefined || problems.length > 0) {
    for (const problem of problems) io.err(`holdfast: ${problem}`);
    return EXIT.usage;
  }
  using stop = world.signal ? undefined : stopSignal();
  const asked = world.signal ?? stop?.signal;
  const bound = new AbortController();
  const timer = setTimeout(() => bound.abort(), (forMs ?? LONGEST_DEFAULT_MS) + OVERHEAD_MS);
  const onStop = () => bound.abort();
  asked?.addEventListener("abort", onStop, { once: true });
  if (asked?.aborted) onStop();
  const style = styleFor({ isTerminal }, io.env);
  const counts = { ok: 0, FAIL: 0, skip: 0 };
  const { address, token, access } = target;
  try {
    await runChecks({ address, token, access, clock, patienceMs, signal: bound.signal }, {
      ...(forMs === undefined ? {} : { forMs }),
      tell: (check) => {
        counts[check.verdict] += 1;
        const { name, verdict, seen } = check;
        // Within JSON the escapes of `printable` mean the same.
        const asJson = () => printable(JSON.stringify({ check: name, verdict, seen }));
        io.out(flags.json ? asJson() : line(check, style));
      },
    });
  } finally {
    clearTimeout(timer);
    asked?.removeEventListener("abort", onStop);
  }
  if (!flags.json) io.out(`${counts.ok} ok, ${counts.FAIL} failed, ${counts.skip} skipped`);
  if (bound.signal.aborted) {
    io.err(
      `holdfast: ${asked?.aborted ? "interrupted" : "the hub took too long"}: not all was seen`,
    );
    return EXIT.failure;
  }
  return counts.FAIL === 0 ? EXIT.ok : EXIT.failure;
}

const NAME_CELLS = Math.max(...CHECK_NAMES.map((name) => name.length));
const COLOURS = { ok: "green", FAIL: "red", skip: "dim" } as const;

function line({ name, verdict, seen }: Check, style: Style): string {
  const text = verdict === "skip" ? `(${printable(seen)})` : printable(seen);
  return `${style(COLOURS[verdict], verdict.padEnd(4))} ${name.padEnd(NAME_CELLS)}  ${text}`;
}
