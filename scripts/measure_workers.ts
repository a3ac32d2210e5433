// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * What threads that serve clients cost, and what they bring: the CPU of one delivery, deliveries a
 * second at which the last client still has a message within 100 ms, and memory, for each number of
 * workers. Hub and load client share whatever cores there are.
 *
 * Every round measures each number of workers once, in turn; what is told at the end are medians,
 * and medians of each round's ratios to the first number of workers: what the machine does
 * meanwhile hits both sides of a ratio.
 *
 * `deno run --allow-all scripts/measure_workers.ts [--clients N] [--workers 1,2] [--rounds N]`
 */
import { parseArgs } from "node:util";
import { compileNative } from "./bench/compile_native.ts";
import type { Kit } from "./bench/peer.ts";
import { holdfast } from "./bench/peers/holdfast.ts";
import { residentBytes } from "./bench/process_memory.ts";
import { Run } from "./bench/run.ts";
import { sampleOf } from "./bench/sample_of.ts";
import { median } from "./bench/statistics.ts";

/** The last client may have a message so late, in milliseconds. */
const WITHIN_MS = 100;
/** Messages a second at first, and what each further step is multiplied by. */
const FIRST_PACE = 10;
const STEP = 1.25;
/** Between the last pace that was kept and the first that was not, halved so many times. */
const HALVINGS = 3;
/** A pace has not been kept once it has failed so many times in a row: a machine hiccups. */
const TRIES = 2;
/** Messages before anything counts: each thread has a compiler of its own that has to have its say. */
const WARM_UP_MESSAGES = 150;
/** Messages of the quiet window. */
const QUIET_MESSAGES = 80;
/** A step's length, in seconds; longer than it takes for a backlog to show. */
const STEP_SECONDS = 3;

/** What is measured of one number of workers. */
interface Measured {
  /** Of a quiet window. */
  readonly cpuPerDeliveryUs: number;
  readonly p99Ms: number;
  /** The most deliveries a second that came in time. */
  readonly deliveriesPerSecond: number;
  /** Without clients. */
  readonly idleMiB: number;
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    clients: { type: "string", default: "1000" },
    workers: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "5" },
  },
});
const clients = Number(values.clients);
const variants = values.workers.split(",").map(Number);
const rounds: Map<number, Measured>[] = [];
const folder = await Deno.makeTempDir({ prefix: "holdfast-workers-" });
try {
  const unpinned = (command: readonly string[]) => [...command];
  const kit: Kit = {
    native: await compileNative(folder),
    cores: { arePinned: false, server: unpinned, load: unpinned },
    cacheFolder: folder,
    folder,
  };
  console.log(
    `${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, ${clients} clients`,
  );
  for (let round = 1; round <= Number(values.rounds); round++) {
    const measured = new Map<number, Measured>();
    // Forth and back, so that none is always the one behind another.
    for (const workers of round % 2 === 1 ? variants : variants.toReversed()) {
      const each = await measure(kit, workers);
      measured.set(workers, each);
      console.log(`round ${round}, ${workers} workers: ${inWords(each)}`);
    }
    rounds.push(measured);
  }
  for (const workers of variants) console.log(`${workers} workers: ${summary(workers)}`);
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function measure(kit: Kit, workers: number): Promise<Measured> {
  const label = `${workers} workers`;
  const peer = await holdfast({ name: label, label, batch: false, workers }).prepare(kit);
  await using run = await Run.start(peer, kit, { clients });
  const idleMiB = await residentBytes(run.server.pid) / (1024 * 1024);
  await run.connect();
  await run.load.command("publish", 2 * FIRST_PACE, WARM_UP_MESSAGES);
  const quiet = sampleOf(await run.load.command("publish", FIRST_PACE, QUIET_MESSAGES));
  const { cpuPerDeliveryUs = NaN, p99Ms = NaN } = quiet.figures;
  return { cpuPerDeliveryUs, p99Ms, deliveriesPerSecond: await mostInTime(run), idleMiB };
}

/** The most deliveries a second that came in time. */
async function mostInTime(run: Run): Promise<number> {
  let reached = 0;
  let kept = 0;
  let isWhole = true;
  async function isKept(pace: number): Promise<boolean> {
    for (let time = 0; time < TRIES && isWhole; time++) {
      const count = Math.round(STEP_SECONDS * pace);
      const window = await run.load.command("publish", Math.round(pace * 10) / 10, count);
      const { figures: { p99Ms = Infinity }, faults } = sampleOf(window);
      isWhole = faults.length === 0; // who was cut off does not come back
      if (!isWhole || p99Ms > WITHIN_MS) continue;
      kept = pace;
      reached = Math.max(reached, window.deliveries / (window.elapsedUs / 1_000_000));
      return true;
    }
    return false;
  }
  let pace = FIRST_PACE;
  while (await isKept(pace)) pace *= STEP;
  let failed = pace;
  for (let time = 0; kept > 0 && time < HALVINGS; time++) {
    const middle = (kept + failed) / 2;
    if (!await isKept(middle)) failed = middle;
  }
  return reached;
}

function inWords({ cpuPerDeliveryUs, p99Ms, deliveriesPerSecond, idleMiB }: Measured): string {
  return `${cpuPerDeliveryUs.toFixed(2)} us of CPU a delivery, p99 ${p99Ms.toFixed(1)} ms at ` +
    `${FIRST_PACE} a second; ${Math.round(deliveriesPerSecond)} deliveries a second within ` +
    `${WITHIN_MS} ms; ${idleMiB.toFixed(0)} MiB without clients`;
}

function summary(workers: number): string {
  const middle = (of: (each: Measured) => number) =>
    median(rounds.map((round) => valueIn(round, workers, of))) ?? NaN;
  const ratio = (of: (each: Measured) => number) =>
    (median(
      rounds.map((round) => valueIn(round, workers, of) / valueIn(round, variants[0] ?? 1, of)),
    ) ?? NaN).toFixed(2);
  const all: Measured = {
    cpuPerDeliveryUs: middle(({ cpuPerDeliveryUs }) => cpuPerDeliveryUs),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    deliveriesPerSecond: middle(({ deliveriesPerSecond }) => deliveriesPerSecond),
    idleMiB: middle(({ idleMiB }) => idleMiB),
  };
  return `${inWords(all)} | ratios to ${variants[0]}: CPU a delivery ${
    ratio(({ cpuPerDeliveryUs }) => cpuPerDeliveryUs)
  }, deliveries a second ${ratio(({ deliveriesPerSecond }) => deliveriesPerSecond)}`;
}

function valueIn(
  round: ReadonlyMap<number, Measured>,
  workers: number,
  of: (each: Measured) => number,
): number {
  const each = round.get(workers);
  return each === undefined ? NaN : of(each);
}
