import { type Gap, HoldfastClient } from "../../src/client/mod.ts";
import type { Frame } from "../../src/protocol/message.ts";
import type { Chance } from "../support/seed.ts";
import { sleep } from "./storm_backend.ts";

/** What a rover was told and has to answer for, in order. */
export type Told =
  | {
    readonly kind: "welcome";
    readonly epoch: string;
    readonly recovered: boolean;
    readonly at: number;
  }
  | { readonly kind: "gap"; readonly gap: Gap; readonly at: number }
  | { readonly kind: "event"; readonly number: number; readonly seq?: number }
  | { readonly kind: "fresh"; readonly n: number; readonly at: number };

export interface RoverOptions {
  /** The addresses of the hubs there are just now, such as `ws://127.0.0.1:40123`. */
  hubs: () => readonly string[];
  token: string;
  chance: Chance;
  /** Longest stay at one hub, in milliseconds. Default: it moves only when it has to. */
  stayMs?: number;
}

/** The channel of the values that rovers hear. */
export const ROVER_CHANNEL = "system_status";

/** Waits between attempts to connect, in milliseconds. */
const BACKOFF = { minMs: 50, maxMs: 500 };

/**
 * A client of the house's own making that moves between the hubs of a cluster: each of its
 * connections goes to one drawn by chance, and goes on where the one before ended.
 */
export class Rover implements AsyncDisposable {
  readonly told: Told[] = [];
  /** Connections that were welcomed. */
  arrivals = 0;
  /** The newest notification's number. */
  newest = 0;
  readonly client: HoldfastClient;
  readonly #options: RoverOptions;
  readonly #ended = new AbortController();
  readonly #moving: Promise<void>;
  #epoch = "";

  constructor(options: RoverOptions) {
    const { hubs, token, chance } = options;
    this.#options = options;
    class MovingSocket extends WebSocket {
      constructor(address: string, protocols: string[]) {
        const url = new URL(address);
        url.host = new URL(chance.pick(hubs())).host;
        super(url.href, protocols);
      }
    }
    this.client = new HoldfastClient("http://cluster.test", {
      channels: ["notification", ROVER_CHANNEL],
      token,
      WebSocket: MovingSocket,
      askDoor: false,
      backoff: BACKOFF,
      openTimeoutMs: 3000,
      random: () => chance.next(),
    });
    this.client.on("welcome", ({ epoch, recovered }) => {
      this.arrivals += 1;
      this.#epoch = epoch;
      this.told.push({ kind: "welcome", epoch, recovered, at: Date.now() });
    });
    this.client.on("gap", (gap) => this.told.push({ kind: "gap", gap, at: Date.now() }));
    this.client.on("frame", (frame) => this.#hear(frame));
    this.#moving = this.#move();
  }

  /** The epoch it was last welcomed in. */
  get epoch(): string {
    return this.#epoch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#moving;
    await this.client.close();
  }

  #hear({ type, seq, data }: Frame): void {
    if (type === "notification") {
      const { number } = data as { number?: unknown };
      if (typeof number !== "number") return;
      this.newest = Math.max(this.newest, number);
      this.told.push({ kind: "event", number, ...(seq === undefined ? {} : { seq }) });
    } else if (type === ROVER_CHANNEL) {
      const { is_stale, data: value } = data as { is_stale: boolean; data: { n: number } };
      if (!is_stale) this.told.push({ kind: "fresh", n: value.n, at: Date.now() });
    }
  }

  async #move(): Promise<void> {
    const { chance, stayMs } = this.#options;
    if (stayMs === undefined) return;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await sleep(chance.between(stayMs / 4, stayMs), signal).catch(() => {});
      if (!signal.aborted) this.client.reconnect();
    }
  }
}
