import type { Chance } from "../support/seed.ts";
import { within } from "../support/until.ts";
import { type Journal, readJournal } from "./journal.ts";
import { sleep } from "./storm_backend.ts";

export interface WanderersOptions {
  /** The hub's WebSocket address, token included. */
  url: string;
  chance: Chance;
  /** Where journals go. */
  folder: string;
  /** Names this process and its journals. */
  name: string;
  /** Longest time for which the process is stopped, in milliseconds. */
  longestStopMs: number;
}

/** Clients in one process, of which the first one batches. */
const CLIENTS = 3;

const SCRIPT = new URL("wanderers_process.ts", import.meta.url).pathname;

/** A process of wanderers, which is stopped, killed and started again at random. */
export class Wanderers implements AsyncDisposable {
  /** When the process was not to be relied on: from, until (unix milliseconds). */
  readonly stops: { readonly from: number; readonly until: number }[] = [];
  kills = 0;
  readonly #options: WanderersOptions;
  readonly #paths: readonly string[];
  #child: Deno.ChildProcess;

  constructor(options: WanderersOptions) {
    const { folder, name } = options;
    this.#options = options;
    this.#paths = Array.from(
      { length: CLIENTS },
      (_, nth) => `${folder}/${name}-${nth}${nth === 0 ? "-batch" : ""}.jsonl`,
    );
    for (const path of this.#paths) Deno.writeTextFileSync(path, "");
    this.#child = this.#spawn();
  }

  /** Ill-treats the process until aborted; leaves it running. */
  async torment(signal: AbortSignal): Promise<void> {
    const { chance, longestStopMs } = this.#options;
    while (!signal.aborted) {
      await sleep(chance.between(800, 5000), signal).catch(() => {});
      if (signal.aborted) return;
      if (chance.percent(50)) await this.#stopFor(chance.between(100, longestStopMs), signal);
      else await this.#kill();
    }
  }

  /** Every client connects, if it is not, and stays. */
  async settle(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("settle\n"));
    writer.releaseLock();
  }

  /** What its clients have been told so far, one journal a client. */
  journals(): Journal[] {
    return this.#paths.map((path) => readJournal(Deno.readTextFileSync(path)));
  }

  /** Waits until the process has ended by itself. */
  async ended(timeoutMs: number): Promise<void> {
    await within(this.#child.status, { timeoutMs, explain: () => "wanderers did not end" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #stopFor(ms: number, signal: AbortSignal): Promise<void> {
    const from = Date.now();
    this.#child.kill("SIGSTOP");
    await sleep(ms, signal).catch(() => {});
    this.#child.kill("SIGCONT");
    this.stops.push({ from, until: Date.now() });
  }

  async #kill(): Promise<void> {
    this.kills += 1;
    await this.#end();
    this.#child = this.#spawn();
  }

  async #end(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
  }

  #spawn(): Deno.ChildProcess {
    const { url, chance } = this.#options;
    const seed = String(chance.fork().seed);
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", "--allow-all", SCRIPT, url, seed, ...this.#paths],
      stdin: "piped",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  }
}
