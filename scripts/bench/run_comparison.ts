import type { Case } from "./case.ts";
import { compare, type Measured } from "./compare.ts";
import { compileNative } from "./compile_native.ts";
import { findCores } from "./cores.ts";
import { describeMachine } from "./machine.ts";
import { type Options, UsageError } from "./options.ts";
import type { Kit, Peer, ReadyPeer } from "./peer.ts";
import { PEERS } from "./peers.ts";
import type { Results } from "./results.ts";
import { workloadOf, workloads } from "./workloads.ts";

export interface RunComparisonOptions {
  /** Ends it before its time; what was measured until then is told. Default: never. */
  signal?: AbortSignal;
  /** Called before anything is measured. */
  onPlan?: (plan: { cases: readonly Case[]; peers: readonly ReadyPeer[] }) => void;
  /** Called for each peer that cannot be had. */
  onAbsent?: (absent: Results["absent"][number]) => void;
  onSample?: (measured: Measured) => void;
}

/**
 * Gets everything ready, measures, and cleans up.
 *
 * @throws {UsageError} If a workload is asked for that does not exist.
 * @throws {Error} If there is no C compiler.
 */
export async function runComparison(
  { rounds, only, peers: wanted, scale }: Options,
  options: RunComparisonOptions = {},
): Promise<Results> {
  const cases = chosen(await workloads(scale), only);
  const folder = await Deno.makeTempDir({ prefix: "holdfast-bench-" });
  try {
    const kit: Kit = {
      native: await compileNative(folder),
      cores: await findCores(),
      cacheFolder: cacheFolder(),
      folder,
    };
    const asked = PEERS.filter(({ name }) => wanted?.includes(name) ?? true);
    const { ready, absent } = await prepared(asked, kit);
    for (const each of absent) options.onAbsent?.(each);
    options.onPlan?.({ cases, peers: ready });
    const onSample = (measured: Measured) => options.onSample?.(measured);
    const { signal = new AbortController().signal } = options;
    const samples = await compare(cases, ready, { kit, rounds, signal, onSample });
    return {
      date: new Date().toISOString().slice(0, "2026-01-31".length),
      machine: await describeMachine(),
      rounds,
      pinned: kit.cores.arePinned,
      cases: cases.map(({ id, title }) => ({ id, title })),
      peers: ready.map(({ name, label, version }) => ({ name, label, version })),
      absent,
      samples,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function chosen(all: readonly Case[], only: readonly string[] | undefined): readonly Case[] {
  if (only === undefined) return all;
  const known = [...new Set(all.flatMap(({ id }) => [workloadOf(id), id]))];
  for (const name of only) {
    if (known.includes(name)) continue;
    throw new UsageError(`there is no workload "${name}"; there are ${known.join(", ")}`);
  }
  return all.filter(({ id }) => only.includes(id) || only.includes(workloadOf(id)));
}

/** One after the other: two must not install into one folder at a time. */
async function prepared(peers: readonly Peer[], kit: Kit) {
  const ready: ReadyPeer[] = [];
  const absent: { name: string; why: string }[] = [];
  for (const peer of peers) {
    try {
      ready.push(await peer.prepare(kit));
    } catch (error) {
      absent.push({ name: peer.name, why: firstLine(error) });
    }
  }
  return { ready, absent };
}

/** Long texts of installers name folders and hosts, which belong in no report. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0] ?? message;
}

/** For packages of peers; they stay for the next run. */
function cacheFolder(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "."}/.cache`;
  return `${home}/holdfast-bench`;
}
