import type { Chance } from "../support/seed.ts";
import { type Entry, framesOf, type Journal, type LifeEnd, type ResumePoint } from "./journal.ts";
import { sleep } from "./storm_backend.ts";

export interface WandererOptions {
  /** The hub's WebSocket address, token included. */
  url: string;
  batch: boolean;
  chance: Chance;
  /** What the client has been through before. */
  journal: Journal;
  /** Writes an entry down for good before the client acts on it. */
  write: (entry: Entry) => void;
}

/** Longest stay and longest absence of a client that comes and goes, in milliseconds. */
const STAY_MS = 4000;
const AWAY_MS = 1500;
/** Of a hundred returns, those that name an epoch the hub never had. */
const WRONG_EPOCH_PERCENT = 6;

/** A client that comes and goes, and goes on where it was. Its journal says what it was told. */
export class Wanderer {
  readonly #options: WandererOptions;
  #settle = new AbortController();

  constructor(options: WandererOptions) {
    this.#options = options;
  }

  /** From now on it stays until the hub sends it away. */
  settle(): void {
    this.#settle.abort();
  }

  /** Lives until the hub goes down. */
  async run(): Promise<void> {
    const { chance } = this.#options;
    for (;;) {
      if (await this.#live() === "told of the shutdown") return;
      await sleep(chance.between(20, AWAY_MS), this.#settle.signal).catch(() => sleep(50));
    }
  }

  /** One connection from its handshake to its end. */
  async #live(): Promise<"told of the shutdown" | "ended"> {
    const { chance, batch, journal } = this.#options;
    const resume = journal.resumePoint;
    const isLost = chance.percent(WRONG_EPOCH_PERCENT);
    const said = resume && isLost ? { ...resume, epoch: crypto.randomUUID() } : resume;
    this.#note({ k: "open", batch, ...(said ? { resume: said } : {}) });
    const socket = new WebSocket(this.#address(said));
    const { promise, resolve } = Promise.withResolvers<LifeEnd>();
    let isHubGoing = false;
    socket.onmessage = ({ data }) => {
      const frames = framesOf(data, Date.now());
      isHubGoing ||= frames.some((frame) => frame.data.code === "SERVER_SHUTDOWN");
      this.#note({ k: "told", frames });
    };
    socket.onerror = () => {}; // the close that follows tells it all
    socket.onclose = ({ code, wasClean }) => resolve({ code, clean: wasClean });
    const ended = promise.then((end) => this.#note({ k: "end", end }));
    const stay = new AbortController();
    const leave = sleep(
      chance.between(200, STAY_MS),
      AbortSignal.any([stay.signal, this.#settle.signal]),
    ).then(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      this.#note({ k: "left" });
      socket.close(1000);
    }, () => {});
    await ended;
    stay.abort();
    await leave;
    return isHubGoing ? "told of the shutdown" : "ended";
  }

  #address(resume: ResumePoint | undefined): string {
    const url = new URL(this.#options.url);
    if (this.#options.batch) url.searchParams.set("batch", "1");
    for (const [name, value] of Object.entries(resume ?? {})) {
      url.searchParams.set(name, String(value));
    }
    return url.href;
  }

  #note(entry: Entry): void {
    this.#options.write(entry);
    this.#options.journal.add(entry);
  }
}
