import type { Native } from "./compile_native.ts";
import type { Cores } from "./cores.ts";

/** What peers are made with. */
export interface Kit {
  readonly native: Native;
  readonly cores: Cores;
  /** Kept from run to run: packages of peers. */
  readonly cacheFolder: string;
  /** Of this run alone. */
  readonly folder: string;
}

/** Sources that a polling hub is to poll. */
export interface Sources {
  /** Where the backend listens: JSON-RPC, where the method `N` is the next value of source N. */
  readonly port: number;
  readonly count: number;
  readonly everyMs: number;
}

export interface StartOptions {
  /** Only for a peer that polls. */
  readonly sources?: Sources;
  /** Only for the control: frames of 1 KB that each client is sent as it comes. */
  readonly greetings?: number;
}

/** A peer that runs. */
export interface RunningPeer extends AsyncDisposable {
  /** The process that does the work; what it has started counts with it. */
  readonly pid: number;
  readonly port: number;
  /** Where messages are published. Default: where clients connect. */
  readonly publishPort?: number;
  /** Waits for the process' end; its exit code. */
  ended(): Promise<number>;
}

/** How the load client talks to a peer. */
export interface Manners {
  /** What comes before a client counts as connected; see `native/client.h`. */
  readonly dialect: "plain" | "welcome" | "socket.io" | "nats";
  /** How many clients at most connect at one time. Default: 100. */
  readonly connecting?: number;
  /** Path and query of the WebSocket. */
  readonly path: string;
  /** How a message is published: by POST, but for the dialect `nats`, which has a way of its own. */
  readonly publishPath: string;
  /** A further header line of the POST. */
  readonly publishHeader?: string;
  /** What stands around the message in the body. */
  readonly publishPrefix?: string;
  readonly publishSuffix?: string;
  /** Whether the message stands inside a JSON string there, its quotes escaped. Default: as JSON. */
  readonly publishInString?: boolean;
}

/** A peer that can be had on this machine. */
export interface ReadyPeer {
  readonly name: string;
  /** As readers know it. */
  readonly label: string;
  /** Of the server and what it runs on. */
  readonly version: string;
  /** Whether values come from sources that it polls, in workloads that are about polling. */
  readonly polls: boolean;
  manners(options: { sources: number; query?: string }): Manners;
  start(options: StartOptions): Promise<RunningPeer>;
}

/** A server to compare with. */
export interface Peer {
  readonly name: string;
  readonly label: string;
  /**
   * Gets it ready: installs packages, looks for programs.
   *
   * @throws {Error} If it cannot be had on this machine; the message says why.
   */
  prepare(kit: Kit): Promise<ReadyPeer>;
}
