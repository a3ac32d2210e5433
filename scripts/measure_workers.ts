// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * What threads that serve clients cost, and what they bring: the CPU of one delivery, deliveries a
 * second at which the last client still has a message within 100 ms, and memory, for each number of
 * workers. Hub and load client share whatever cores there are.
 *
 * `deno run --allow-all scripts/measure_workers.ts [--clients N] [--workers 1,2] [--rounds N]`
 */
import { parseArgs } from "node:util";
import { compileNative } from "./bench/compile_native.ts";
import type { Kit } from "./bench/peer.ts";
import { holdfast } from "./bench/peers/holdfast.ts";
import { Run } from "./bench/run.ts";
import { sampleOf } from "./bench/sample_of.ts";

/** The last client may have a message so late, in milliseconds. */
const WITHIN_MS = 100;
/** Messages a second at first, and what each further step is multiplied by. */
const FIRST_PACE = 10;
const STEP = 1.15;
/** Messages before anything counts: each thread has a compiler of its own that has to have its say. */
const WARM_UP_MESSAGES = 150;
/** Messages of the quiet window. */
const QUIET_MESSAGES = 80;
/** A step's length, in seconds; longer than it takes for a backlog to show. */
const STEP_SECONDS = 3;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    clients: { type: "string", default: "1000" },
    workers: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "3" },
  },
});
const clients = Number(values.clients);
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
    for (const workers of values.workers.split(",").map(Number)) {
      console.log(`round ${round}, ${workers} workers: ${await measure(kit, workers)}`);
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function measure(kit: Kit, workers: number): Promise<string> {
  const label = `${workers} workers`;
  const peer = await holdfast({ name: label, label, batch: false, workers }).prepare(kit);
  await using run = await Run.start(peer, kit, { clients });
  const idleMiB = residentMiB(run.server.pid);
  await run.connect();
  await run.load.command("publish", 2 * FIRST_PACE, WARM_UP_MESSAGES);
  const quiet = sampleOf(await run.load.command("publish", FIRST_PACE, QUIET_MESSAGES));
  let reached = 0;
  for (let pace = FIRST_PACE;; pace *= STEP) {
    const window = await run.load.command(
      "publish",
      Math.round(pace),
      Math.round(STEP_SECONDS * pace),
    );
    const { figures: { p99Ms = Infinity }, faults } = sampleOf(window);
    if (faults.length > 0 || p99Ms > WITHIN_MS) break;
    reached = window.deliveries / (window.elapsedUs / 1_000_000);
  }
  const { cpuPerDeliveryUs = NaN, p99Ms = NaN } = quiet.figures;
  return `${cpuPerDeliveryUs.toFixed(2)} us of CPU a delivery, p99 ${p99Ms.toFixed(1)} ms at ` +
    `${FIRST_PACE} a second; ${Math.round(reached)} deliveries a second within ${WITHIN_MS} ms; ` +
    `${idleMiB} MiB without clients`;
}

function residentMiB(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return Math.round(Number(kib) / 1024);
}
