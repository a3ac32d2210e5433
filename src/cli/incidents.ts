import { DURATION_GRAMMAR, parseDuration } from "../config/duration.ts";
import { inWords } from "../incidents/hooks/hook_event.ts";
import type { IncidentReport } from "../protocol/incident.ts";
import { readTarget, type TargetFlags } from "./client_flags.ts";
import { EXIT, type Io } from "./io.ts";
import { printable } from "./printable.ts";
import { ask } from "./probe/ask.ts";
import { stopSignal } from "./stop_signal.ts";

/** As on the command line, unchecked. */
export interface IncidentsFlags extends TargetFlags {
  /** How far back. Default: all the hub knows. */
  since?: string;
  json?: boolean;
}

/**
 * `holdfast incidents`: what failed, when, for how long and why, newest first. Returns the exit
 * code: 0, 1 if the hub did not say, 2 bad usage.
 */
export async function incidents(url: string, flags: IncidentsFlags, io: Io): Promise<number> {
  const problems: string[] = [];
  using target = readTarget(url, flags, io, problems);
  const { since } = flags;
  if (since !== undefined && !parseDuration(since)) {
    problems.push(`--since: found ${JSON.stringify(since)}; expected ${DURATION_GRAMMAR}`);
  }
  if (target === undefined || problems.length > 0) {
    for (const problem of problems) io.err(`holdfast: ${printable(problem)}`);
    return EXIT.usage;
  }
  using stop = stopSignal();
  const { address, token, access } = target;
  const path = since === undefined ? "/incidents" : `/incidents?since=${since}`;
  const reply = await ask(address, path, { token, access, signal: stop.signal });
  const failed = (why: string) => {
    io.err(`holdfast: ${printable(`${target.url}: ${why}`)}`);
    return EXIT.failure;
  };
  if (!reply.ok) return failed(reply.why);
  const found = reply.status === 200 ? incidentsIn(reply.body) : undefined;
  if (found === undefined) return failed(whyNot(reply));
  if (flags.json) {
    for (const each of found) io.out(JSON.stringify(each));
    return EXIT.ok;
  }
  if (found.length === 0) io.out(since === undefined ? "no incidents" : `none in ${since}`);
  for (const each of found) io.out(printable(lineOf(each)));
  return EXIT.ok;
}

function lineOf(
  { kind, backend, channel, started_at, ended_at, duration_ms, cause, times = 1 }: IncidentReport,
): string {
  const when = new Date(started_at * 1000).toISOString().replace("T", " ").replace(".000Z", "Z");
  const what = [kind.replaceAll("_", " "), backend ?? channel].filter(Boolean).join(" ");
  const lasted = `${inWords(duration_ms)}${ended_at === null ? ", still" : ""}`;
  const often = times > 1 ? ` (${times} times)` : "";
  return `${when}  ${what.padEnd(30)}  ${lasted.padEnd(16)}  ${cause}${often}`;
}

function incidentsIn(body: unknown): IncidentReport[] | undefined {
  const { incidents: found } = (body ?? {}) as { incidents?: unknown };
  return Array.isArray(found) ? found as IncidentReport[] : undefined;
}

function whyNot({ status, body }: { status: number; body: unknown }): string {
  const { message } = (body ?? {}) as { message?: unknown };
  if (typeof message === "string") return message;
  return status === 200 ? "the answer is not a hub's" : `it answered ${status}`;
}
