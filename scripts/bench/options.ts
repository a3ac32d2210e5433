import { parseArgs } from "node:util";
import { PEERS } from "./peers.ts";
import { FULL, QUICK, type Scale } from "./scale.ts";

export const USAGE = `deno task bench                 compares Holdfast with its peers, side by side
deno task bench URL [options]   loads a hub that runs, as \`holdfast bench\` does

  --rounds N        how often everything is measured; medians are told (default: 5)
  --only NAMES      workloads or cases with commas between, such as tick/5000,firehose
  --peers NAMES     ${PEERS.map(({ name }) => name).join(",")}
  --quick           few clients and short runs: shows that it works, and nothing else
  --output FOLDER   where results go (default: docs/performance for a whole run, else nowhere)`;

/** What a comparison was asked for. */
export interface Options {
  readonly rounds: number;
  /** Workloads or cases; `undefined`: all. */
  readonly only: readonly string[] | undefined;
  readonly peers: readonly string[] | undefined;
  readonly scale: Scale;
  /** Folder for the results; `undefined`: they are only shown. */
  readonly output: string | undefined;
}

/** Bad usage: what was wrong and what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const DEFAULT_ROUNDS = 5;
const MOST_ROUNDS = 100;

const DOCS = new URL("../../docs/performance", import.meta.url).pathname;

/**
 * Reads the arguments of a comparison.
 *
 * @throws {UsageError} If one is unknown or not possible.
 */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    throw new UsageError(
      `--rounds must be a whole number from 1 to ${MOST_ROUNDS}: it is "${values.rounds}"`,
    );
  }
  const only = names(values.only);
  const peers = names(values.peers);
  const known = PEERS.map(({ name }) => name);
  for (const peer of peers ?? []) {
    if (known.includes(peer)) continue;
    throw new UsageError(`there is no peer "${peer}"; there are ${known.join(", ")}`);
  }
  const isWhole = only === undefined && peers === undefined && !values.quick;
  const output = values.output ?? (isWhole ? DOCS : undefined);
  return { rounds, only, peers, scale: values.quick ? QUICK : FULL, output };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string" },
        only: { type: "string" },
        peers: { type: "string" },
        quick: { type: "boolean", default: false },
        output: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function names(list: string | undefined): string[] | undefined {
  return list?.split(",").map((name) => name.trim()).filter((name) => name !== "");
}
