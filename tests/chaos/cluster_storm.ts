import { clusterConfig, publishAt, untilLed, untilRole } from "../support/hub_cluster.ts";
import { DiscardPolicy } from "@nats-io/jetstream";
import { HubProcess } from "../support/hub_process.ts";
import { NatsServer } from "../support/nats.ts";
import { flood, meddle } from "../support/nats_meddler.ts";
import type { Chance } from "../support/seed.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { Polled } from "./polled.ts";
import { sleep } from "./storm_backend.ts";

export const CLUSTER_SIZE = 3;

/** What happens to a cluster under fire. */
export const MISFORTUNES = [
  "leader killed",
  "leader stopped",
  "follower killed",
  "engine blinks",
  "engine away",
  "link cut",
  "link reset",
  "link cut to the engine",
  "link cut from the engine",
  "link 300 ms long",
  "hub too slow for the engine",
  "engine restarted in order, twice",
  "stream full",
  "stream purged",
  "stream deleted",
  "lease's bucket deleted",
  "values' bucket deleted",
] as const;
export type Misfortune = typeof MISFORTUNES[number];

/** The cluster finds together again within this time, in milliseconds, however busy the machine is. */
const SETTLE_MS = 30_000;

/** What the hubs of a storm call their stream in NATS. */
const STREAM = "holdfast_holdfast";

/** What every hub listens to, and nothing keeps. */
const FLEETING = "holdfast.holdfast.hubs.poll";

/** So much may wait in the engine for a hub that takes nothing; then it is cut off as a slow consumer. */
const MAX_PENDING_BYTES = 2 * 1024 * 1024;

/** How long a link stays bad that hubs can live with, in milliseconds. */
const STAND_MS = 3000;

/** A time in which nothing happened, in unix milliseconds. */
export interface Calm {
  readonly from: number;
  readonly until: number;
}

interface Publication {
  readonly number: number;
  readonly isShared: boolean;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Three hubs, each behind a network of its own to one engine, and a publisher that numbers. */
export class ClusterStorm implements AsyncDisposable {
  readonly backend = new Polled();
  readonly hubs: HubProcess[] = [];
  readonly calms: Calm[] = [];
  /** Log lines of warnings and errors that hubs wrote which are gone by now. */
  readonly complaints: string[] = [];
  readonly #nats: NatsServer;
  readonly #networks: TcpProxy[];
  readonly #stack = new AsyncDisposableStack();
  readonly #publications: Publication[] = [];
  #published = 0;
  #isOver = false;

  private constructor(nats: NatsServer) {
    this.#nats = this.#stack.use(nats);
    this.#stack.use(this.backend);
    this.#networks = Array.from(
      { length: CLUSTER_SIZE },
      () => this.#stack.use(new TcpProxy(nats.url)),
    );
  }

  static async start(): Promise<ClusterStorm> {
    const storm = new ClusterStorm(
      await NatsServer.start({ also: { max_pending: MAX_PENDING_BYTES } }),
    );
    try {
      for (let at = 0; at < CLUSTER_SIZE; at++) await storm.#replace(at);
      await untilLed(storm.hubs, SETTLE_MS);
      return storm;
    } catch (error) {
      await storm[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The addresses of the hubs there are just now. */
  get addresses(): string[] {
    return this.hubs.map(({ url }) => url.replace(/^http/, "ws"));
  }

  /** Numbers of the notifications that the whole cluster took. */
  get shared(): number[] {
    return this.#publications.filter(({ isShared }) => isShared).map(({ number }) => number);
  }

  /** Those that a hub took while it was alone. */
  get alone(): Publication[] {
    return this.#publications.filter(({ isShared }) => !isShared);
  }

  /** How many notifications there were. */
  get published(): number {
    return this.#published;
  }

  /** Publishes at hubs in turn, one notification after the other, until the storm is over. */
  async publish(everyMs: number): Promise<void> {
    while (!this.#isOver) {
      const hub = this.hubs[this.#published % CLUSTER_SIZE];
      if (hub) await this.#publishAt(hub).catch(() => {}); // it was killed meanwhile
      await sleep(everyMs);
    }
  }

  /** Publishes one more, which everybody is to get; its number. */
  async publishLast(): Promise<number> {
    this.#isOver = true;
    for (;;) {
      for (const hub of this.hubs) if (await this.#publishAt(hub)) return this.#published;
    }
  }

  /** Lets something happen, and waits until the cluster has found together again. */
  async suffer(misfortune: Misfortune, chance: Chance): Promise<void> {
    const { leader, followers } = await untilLed(this.hubs, SETTLE_MS);
    const at = Math.floor(chance.between(0, CLUSTER_SIZE));
    const network = this.#networks[at];
    switch (misfortune) {
      case "leader killed":
        await this.#replace(this.hubs.indexOf(leader));
        break;
      case "follower killed":
        await this.#replace(this.hubs.indexOf(chance.pick(followers)));
        break;
      case "leader stopped":
        leader.signal("SIGSTOP");
        try {
          await untilLed(followers, SETTLE_MS);
        } finally {
          leader.signal("SIGCONT");
        }
        break;
      case "engine blinks":
        await this.#nats.restart();
        break;
      case "engine away":
        await this.#nats.kill();
        for (const hub of this.hubs) await untilRole(hub, "alone", SETTLE_MS);
        await this.#nats.restart();
        break;
      case "link cut":
      case "link cut to the engine":
      case "link cut from the engine":
      case "link reset": {
        if (misfortune === "link cut") network?.cut();
        else if (misfortune === "link cut to the engine") network?.cut("to the server");
        else if (misfortune === "link cut from the engine") network?.cut("from the server");
        else await network?.reset();
        const hub = this.hubs[at];
        if (hub) await untilRole(hub, "alone", SETTLE_MS);
        network?.heal();
        break;
      }
      case "link 300 ms long":
        if (network) network.latencyMs = 300;
        await sleep(STAND_MS);
        if (network) network.latencyMs = 0;
        break;
      case "hub too slow for the engine": {
        const hub = this.hubs[at];
        const before = await this.#slowConsumers();
        hub?.signal("SIGSTOP");
        try {
          const isCut = async () => await this.#slowConsumers() > before;
          await flood(this.#nats.url, FLEETING, isCut);
        } finally {
          hub?.signal("SIGCONT");
        }
        // It reads what there was before it finds that it was cut off.
        await sleep(STAND_MS);
        break;
      }
      case "engine restarted in order, twice":
        for (let times = 0; times < 2; times++) {
          await this.#nats.end();
          await this.#nats.restart();
          await untilLed(this.hubs, SETTLE_MS);
        }
        break;
      case "stream full":
        await meddle(this.#nats.url, async ({ streams }) => {
          const { state } = await streams.info(STREAM);
          const full = { max_msgs: state.messages, discard: DiscardPolicy.New };
          const config = await streams.update(STREAM, full);
          if (config.config.discard !== DiscardPolicy.New) throw new Error("it takes more");
        });
        for (const hub of this.hubs) await untilRole(hub, "alone", SETTLE_MS);
        await meddle(
          this.#nats.url,
          ({ streams }) => streams.update(STREAM, { max_msgs: -1, discard: DiscardPolicy.Old }),
        );
        break;
      case "stream purged":
        await meddle(this.#nats.url, ({ streams }) => streams.purge(STREAM));
        break;
      case "stream deleted":
        await meddle(this.#nats.url, ({ streams }) => streams.delete(STREAM));
        break;
      case "lease's bucket deleted":
        await meddle(this.#nats.url, ({ streams }) => streams.delete(`KV_${STREAM}_lease`));
        break;
      case "values' bucket deleted":
        await meddle(this.#nats.url, ({ streams }) => streams.delete(`KV_${STREAM}_latest`));
    }
    // What was done to the engine is found out at the next question, and led on until then.
    if (/stream|bucket/.test(misfortune)) await sleep(STAND_MS);
    await untilLed(this.hubs, SETTLE_MS);
  }

  /** Waits while nothing happens. */
  async rest(ms: number): Promise<void> {
    // A poll that was under way when its hub lost the lead has come to its end.
    await sleep(500);
    const from = Date.now();
    await sleep(ms);
    this.calms.push({ from, until: Date.now() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const hub of this.hubs) this.#takeLeave(hub);
    await this.#stack[Symbol.asyncDispose]();
  }

  /** How many the engine has cut off because they did not read. */
  async #slowConsumers(): Promise<number> {
    const { slow_consumers } = await this.#nats.ask("/varz") as { slow_consumers: number };
    return slow_consumers;
  }

  async #publishAt(hub: HubProcess): Promise<boolean> {
    const number = ++this.#published;
    const { status, shared } = await publishAt(hub, { title: `notification ${number}`, number });
    if (status !== 202) return false;
    this.#publications.push({ number, isShared: shared !== false, at: Date.now() });
    return true;
  }

  /** Kills a hub if there is one, and starts another in its place. */
  async #replace(at: number): Promise<void> {
    const before = this.hubs[at];
    if (before) {
      before.signal("SIGKILL");
      await before.ended();
      this.#takeLeave(before);
    }
    const config = clusterConfig({
      nats: this.#networks[at]?.url ?? "",
      backend: this.backend.url(at),
      also: {
        sources: [{
          channel: "system_status",
          backend: "core",
          method: "GetSystemStatus",
          every: "500ms",
          stale_after: "2s",
        }],
        hub: { heartbeat_every: "1s" },
      },
    });
    this.hubs[at] = this.#stack.use(await HubProcess.start(config));
  }

  #takeLeave({ complaints, logs }: HubProcess): void {
    this.complaints.push(...complaints);
    const bad = logs.filter(({ level }) => level === "error").map((line) => JSON.stringify(line));
    this.complaints.push(...bad);
  }
}
