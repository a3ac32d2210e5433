/** `deno task bench`: with a URL the load client, without one the comparison with peers. */
import { EXIT, type Io, processIo } from "../../src/cli/io.ts";
import { run } from "../../src/cli/program.ts";
import { stopSignal } from "../../src/cli/stop_signal.ts";
import type { Measured } from "./compare.ts";
import { type Figure, formatFigure } from "./figures.ts";
import { type Options, readOptions, USAGE, UsageError } from "./options.ts";
import { textReport } from "./report/text_report.ts";
import { writeReport } from "./report/write_report.ts";
import { runComparison } from "./run_comparison.ts";

const MS_PER_MINUTE = 60_000;

/** Measures and reports; the exit code is 1 if any run of Holdfast failed, or on Ctrl-C. */
async function bench(options: Options, io: Io): Promise<number> {
  const begun = performance.now();
  using stop = stopSignal();
  const results = await runComparison(options, {
    signal: stop.signal,
    onAbsent: ({ name, why }) => io.err(`absent: ${name}: ${why}`),
    onPlan: ({ cases, peers }) =>
      io.err(`${cases.length} cases, ${peers.length} peers, ${options.rounds} rounds`),
    onSample: (measured) => io.err(lineOf(measured)),
  });
  io.out(textReport(results));
  if (stop.signal.aborted) {
    io.err("interrupted: nothing is written");
    return EXIT.failure;
  }
  if (options.output !== undefined) {
    for (const path of await writeReport(results, options.output)) io.err(`written: ${path}`);
  }
  const minutes = (performance.now() - begun) / MS_PER_MINUTE;
  io.err(`took ${minutes.toFixed(1)} min`);
  const failed = results.samples.some(({ peer, faults }) =>
    peer.startsWith("holdfast") && faults.length > 0
  );
  return failed ? EXIT.failure : EXIT.ok;
}

function lineOf({ round, case: id, peer, figures, faults }: Measured): string {
  const told = (Object.entries(figures) as [Figure, number][])
    .map(([figure, value]) => `${figure} ${formatFigure(figure, value)}`);
  const failed = faults.length === 0 ? [] : [`FAILED: ${faults.join("; ")}`];
  return `round ${round} ${id} ${peer}: ${[...told, ...failed].join(", ")}`;
}

/** Whether the arguments are for the load client: a URL is the one thing without a dash. */
function isForLoadClient([first = ""]: readonly string[]): boolean {
  return first !== "" && !first.startsWith("-");
}

if (import.meta.main) {
  const io = processIo();
  try {
    if (isForLoadClient(Deno.args)) Deno.exit(await run(["bench", ...Deno.args], io));
    if (Deno.args.includes("--help")) {
      io.out(USAGE);
      Deno.exit(EXIT.ok);
    }
    Deno.exit(await bench(readOptions(Deno.args), io));
  } catch (error) {
    io.err(`bench: ${error instanceof Error ? error.message : error}`);
    if (error instanceof UsageError) io.err(USAGE);
    Deno.exit(error instanceof UsageError ? EXIT.usage : EXIT.failure);
  }
}
