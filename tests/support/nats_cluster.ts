// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { freePorts } from "./free_port.ts";
import { ASK_EVERY_MS, type NatsOptions, NatsServer, START_TIMEOUT_MS } from "./nats.ts";

/** The part of a monitor's answer to `/jsz` that is looked at. */
interface JetStreamFacts {
  readonly meta_cluster?: { readonly leader?: string };
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly cluster?: { readonly leader?: string };
    }[];
  }[];
}

/**
 * NATS servers that share their streams, on this machine.
 *
 * @example
 * ```ts
 * await using nats = await NatsCluster.start(3);
 * const leader = await nats.leaderOf("frames");
 * await leader.kill();
 * await leader.restart();
 * ```
 */
export class NatsCluster implements AsyncDisposable {
  readonly servers: readonly NatsServer[];

  private constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
  }

  /** Runs so many servers, named `n1`, `n2` and so on, and waits until they have a leader. */
  static async start(size: number, options: NatsOptions = {}): Promise<NatsCluster> {
    const ports = freePorts(3 * size);
    const clusterPorts = ports.splice(0, size);
    const routes = clusterPorts.map((port) => `nats://127.0.0.1:${port}`);
    const servers = clusterPorts.map((clusterPort, at) => {
      const [port = 0, monitorPort = 0] = ports.splice(0, 2);
      const place = { listen: `127.0.0.1:${clusterPort}`, routes };
      return new NatsServer({ name: `n${at + 1}`, port, monitorPort, cluster: place }, options);
    });
    const cluster = new NatsCluster(servers);
    try {
      await Promise.all(servers.map((server) => server.restart()));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The addresses of all servers for clients. */
  get urls(): string[] {
    return this.servers.map(({ url }) => url);
  }

  /** The server that leads the cluster, or a stream of it; waits until one is elected. */
  async leaderOf(stream?: string): Promise<NatsServer> {
    const lateAt = performance.now() + START_TIMEOUT_MS;
    while (performance.now() < lateAt) {
      const claims = await Promise.all(this.servers.map((server) => claimOf(server, stream)));
      const leader = this.servers.find(({ name }, at) => claims[at] === name);
      if (leader !== undefined) return leader;
      await delay(ASK_EVERY_MS);
    }
    throw new Error(`${stream ?? "the cluster"} has no leader`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

/** Whom a server believes to be the leader. */
async function claimOf(server: NatsServer, stream?: string): Promise<string | undefined> {
  try {
    const facts = await server.ask("/jsz?streams=true") as JetStreamFacts;
    if (stream === undefined) return facts.meta_cluster?.leader;
    const streams = facts.account_details?.flatMap(({ stream_detail = [] }) => stream_detail);
    return streams?.find(({ name }) => name === stream)?.cluster?.leader;
  } catch {
    return undefined; // it is down or halted
  }
}
