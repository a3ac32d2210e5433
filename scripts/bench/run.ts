import { LoadClient } from "./load_client.ts";
import type { Kit, ReadyPeer, RunningPeer } from "./peer.ts";

export interface RunOptions {
  clients: number;
  /** Further clients, which never read. Default: none. */
  stalled?: number;
  /** Length of a message, in bytes. Default: 1024. */
  bytes?: number;
  /** Messages due at one time, each of a stream of its own. Default: 1. */
  streams?: number;
  /** For peers that poll: the streams are sources, polled this often, in milliseconds. */
  pollEveryMs?: number;
  /** What Holdfast's clients add to their address. Default: nothing. */
  query?: string;
  /** Frames that the control sends each client as it comes. Default: none. */
  greetings?: number;
}

const DEFAULT_BYTES = 1024;

/** Fewer than any server's accept queue. */
const CONNECTING = 100;

/**
 * A server and a load client, started for one measurement and ended with it.
 *
 * @example
 * ```ts
 * await using run = await Run.start(peer, kit, { clients: 100 });
 * await run.connect();
 * const window = await run.load.command("publish", 10, 50);
 * ```
 */
export class Run implements AsyncDisposable {
  readonly server: RunningPeer;
  readonly load: LoadClient;

  private constructor(server: RunningPeer, load: LoadClient) {
    this.server = server;
    this.load = load;
  }

  static async start(peer: ReadyPeer, kit: Kit, options: RunOptions): Promise<Run> {
    const { streams = 1, pollEveryMs, greetings } = options;
    const polled = peer.polls && pollEveryMs !== undefined;
    // The load client goes first: it is the backend of a hub that polls.
    const load = await LoadClient.start(kit.cores.load(loadCommand(peer, kit, options)));
    try {
      const sources = { port: load.sourcesPort, count: streams, everyMs: pollEveryMs ?? 0 };
      const given = {
        ...(polled ? { sources } : {}),
        ...(greetings === undefined || peer.name !== "control" ? {} : { greetings }),
      };
      return new Run(await peer.start(given), load);
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Connects the clients. */
  async connect(): Promise<void> {
    const { port, pid, publishPort = port } = this.server;
    await this.load.command("connect", port, pid, publishPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Clients first: they are many, and their ports should not linger on the server's side.
    await this.load[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

function loadCommand(peer: ReadyPeer, { native }: Kit, options: RunOptions): string[] {
  const { clients, stalled = 0, bytes = DEFAULT_BYTES, streams = 1, pollEveryMs } = options;
  const polled = peer.polls && pollEveryMs !== undefined;
  const { query } = options;
  const manners = peer.manners({
    sources: polled ? streams : 0,
    ...(query === undefined ? {} : { query }),
  });
  const settings = {
    clients,
    stalled,
    bytes,
    streams,
    path: manners.path,
    dialect: manners.dialect,
    connecting: manners.connecting ?? CONNECTING,
    "publish-path": manners.publishPath,
    "publish-header": manners.publishHeader === undefined ? "" : `${manners.publishHeader}\r\n`,
    "publish-prefix": manners.publishPrefix ?? "",
    "publish-suffix": manners.publishSuffix ?? "",
  };
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  return [
    native.load,
    ...flags,
    ...(manners.publishInString ? ["--publish-in-string"] : []),
    ...(polled ? ["--sources"] : []),
  ];
}
