import { Watched } from "../support/until.ts";

/** What a crowd was told, added up. */
export interface Tally {
  frames: number;
  /** By error code, those inside status frames left out. */
  codes: Record<string, number>;
  /** By close code; one that broke off has `broken` before it. */
  closes: Record<string, number>;
  /** When each was told to come back, in milliseconds. */
  waits: number[];
}

const SCRIPT = new URL("crowd_process.ts", import.meta.url).pathname;

/** Well-behaved clients in processes of their own. */
export class Crowd implements AsyncDisposable {
  readonly #children: Deno.ChildProcess[] = [];
  readonly #reading: Promise<unknown>[] = [];
  readonly #watched = new Watched();
  readonly #tallies: Tally[] = [];
  readonly #connected: number[] = [];
  #hasFailed = false;

  constructor(url: string, clients: number, processes: number) {
    for (let nth = 0; nth < processes; nth++) {
      const count = Math.floor((clients + nth) / processes);
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--no-prompt", "--allow-net", SCRIPT, url, String(count)],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      this.#children.push(child);
      this.#reading.push(this.#read(child), this.#await(child));
    }
  }

  /** Waits until all have tried; resolves with how many are connected. */
  connected(timeoutMs: number): Promise<number> {
    return this.#watched.until(() => {
      if (this.#hasFailed) throw new Error("a process of the crowd failed");
      if (this.#connected.length < this.#children.length) return undefined;
      return this.#connected.reduce((sum, each) => sum + each, 0);
    }, { timeoutMs, explain: () => "the crowd did not come together" });
  }

  /** Waits until all connections have ended. */
  tally(timeoutMs: number): Promise<Tally> {
    return this.#watched.until(() => {
      if (this.#hasFailed) throw new Error("a process of the crowd failed");
      return this.#tallies.length < this.#children.length ? undefined : added(this.#tallies);
    }, { timeoutMs, explain: () => "the crowd's connections did not all end" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await Promise.all(this.#reading);
  }

  async #await(child: Deno.ChildProcess): Promise<void> {
    const { code } = await child.status;
    if (code !== 0) this.#hasFailed = true;
    this.#watched.changed();
  }

  async #read(child: Deno.ChildProcess): Promise<void> {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const said = JSON.parse(line);
        if ("connected" in said) this.#connected.push(said.connected);
        else this.#tallies.push(said);
      }
      this.#watched.changed();
    }
  }
}

function added(tallies: readonly Tally[]): Tally {
  const sum: Tally = { frames: 0, codes: {}, closes: {}, waits: [] };
  for (const { frames, codes, closes, waits } of tallies) {
    sum.frames += frames;
    sum.waits.push(...waits);
    for (const [code, count] of Object.entries(codes)) {
      sum.codes[code] = (sum.codes[code] ?? 0) + count;
    }
    for (const [code, count] of Object.entries(closes)) {
      sum.closes[code] = (sum.closes[code] ?? 0) + count;
    }
  }
  return sum;
}
