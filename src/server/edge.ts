import type { Config } from "../config/schema.ts";
import type { Hub } from "../hub/hub.ts";
import type { Clock } from "../resilience/clock.ts";
import type { ValueStore } from "../values/value_store.ts";
import { type ClientThreads, type OpenClientThreads, threadsOf } from "./client_threads.ts";
import { Admission } from "./door/admission.ts";
import { Expiries } from "./door/expiry.ts";
import type { Policy } from "./door/policy.ts";
import { Refusals } from "./door/refusals.ts";
import { Visitors } from "./door/visitors.ts";
import { answerFailed } from "./http/answer_failed.ts";
import { createRoutes, type RouteContext } from "./http/routes.ts";
import { clientHandlers, commandHandlers } from "./http/visit_handlers.ts";
import type { Ingest } from "./ingest.ts";
import { drain, type Drained } from "./shutdown.ts";
import { Connections } from "./sockets/connections.ts";
import { Listeners } from "./sockets/listeners.ts";
import { PendingUpgrades } from "./sockets/pending_upgrades.ts";
import { Sockets, type SocketsOptions } from "./sockets/sockets.ts";

export interface EdgeOptions {
  clock: Clock;
  /** Ends whatever the edge does by itself. */
  signal: AbortSignal;
  /** What is in force. */
  config: () => Config;
  policy: () => Policy;
  values: ValueStore;
  /** Exist once the edge listens. */
  hub: () => Hub;
  ingest: () => Ingest;
  /** Opens the threads that serve clients. Without it `workers` has to be 1. */
  openThreads: OpenClientThreads | undefined;
  /** How the socket guard comes by the C library; for tests. */
  openLibc?: SocketsOptions["openLibc"] | undefined;
}

/** What the edge answers with beside what it knows by itself. */
export type Answers = Omit<
  RouteContext,
  | "admission"
  | "refusals"
  | "policy"
  | "isHttp2"
  | "values"
  | "fed"
  | "openWebSocket"
  | "openEventStream"
  | "publish"
  | "poll"
>;

/**
 * The HTTP edge: who may come in, the sockets that are listened on, the paths, and the connections
 * of clients, which belong to this thread or to several.
 */
export class Edge implements Disposable {
  readonly sockets: Sockets;
  readonly admission: Admission;
  readonly refusals: Refusals;
  /** The threads that have the connections; undefined where this one has them. */
  readonly threads: ClientThreads | undefined;
  readonly #options: EdgeOptions;
  readonly #expiries: Expiries;
  readonly #connections = new Connections();
  readonly #pendingUpgrades: PendingUpgrades;
  #visitors: Pick<Visitors, "rulesChanged"> | undefined;
  #handler: Deno.ServeHandler = () => answerFailed(new Error("nothing is answered yet"));
  readonly #listeners: Pick<Listeners, "url" | "listen" | "renew" | "run" | "close">;

  /** @throws {TypeError} If `workers` is over 1 and nothing opens threads. */
  constructor(options: EdgeOptions) {
    const { clock, signal, openLibc } = options;
    const { hub: limits, backends } = options.config();
    this.#options = options;
    this.sockets = new Sockets({
      clock,
      limits,
      backends: Object.keys(backends).length,
      ...(openLibc ? { openLibc } : {}),
    });
    this.admission = new Admission({
      maxClients: Math.min(limits.max_clients, this.sockets.reserve.roomForClients),
      maxClientsPerAddress: limits.max_clients_per_ip,
    }, {
      isJoining: () => options.ingest().isJoining,
      isShort: () => this.sockets.reserve.isShort,
    });
    this.refusals = new Refusals({ clock, signal });
    this.#expiries = new Expiries({ clock, signal });
    this.#pendingUpgrades = new PendingUpgrades({
      clock,
      signal,
      withinMs: limits.request_timeout,
    });
    this.threads = this.#openThreads();
    this.#listeners = this.threads ?? new Listeners({
      clock,
      handler: this.sockets.handler((request, info) => this.#handler(request, info)),
      onError: answerFailed,
      ...this.sockets.listening,
    });
  }

  /** From now on the paths are answered; to be called once, before {@linkcode Edge.listen}. */
  answer(answers: Answers): void {
    const { clock, config, policy, values, hub, ingest } = this.#options;
    const { ping_every, stall_timeout } = config().hub;
    const { sockets, threads, admission, refusals } = this;
    const visitors = new Visitors({
      hub: hub(),
      authenticator: () => policy().authenticator,
      expiries: this.#expiries,
    });
    const context = {
      clock,
      hub: hub(),
      visitors,
      connections: this.#connections,
      pendingUpgrades: this.#pendingUpgrades,
      sockets,
      pingEveryMs: ping_every,
      lingerMs: stall_timeout,
    };
    this.#visitors = threads ?? visitors;
    this.#handler = createRoutes({
      ...answers,
      admission,
      refusals,
      policy,
      values,
      isHttp2: (peer) => (threads ?? sockets).isHttp2(peer),
      fed: () => config().sources,
      ...(threads?.visits ?? clientHandlers({ context, sockets })),
      ...commandHandlers({ ingest: ingest(), admission, config }),
    });
  }

  /** Where the hub can be reached, with the port it really has. */
  get url(): string {
    return this.#listeners.url;
  }

  /** @throws {Deno.errors.AddrInUse} Or another of {@linkcode Deno.errors} if it cannot. */
  listen(config: Config): Promise<void> {
    return this.#listeners.listen(config);
  }

  /** Goes on with another certificate. */
  renew(config: Config): Promise<void> {
    return this.#listeners.renew(config);
  }

  /** The rules for access have changed: those inside are looked at again. */
  rulesChanged(): void {
    this.#visitors?.rulesChanged();
  }

  /** Looks after sockets and listeners until the edge's signal is aborted. */
  run(): void {
    const { signal } = this.#options;
    if (this.threads === undefined) this.sockets.run(signal);
    else void this.sockets.watchDescriptors(signal);
    void this.#listeners.run(signal);
  }

  /** Sees the clients off. */
  drain(times: { drainMs: number; reconnectWithinMs: number }): Promise<Drained> {
    const { clock, hub } = this.#options;
    return this.threads?.drain(times) ??
      drain({ clock, hub: hub(), connections: this.#connections, ...times });
  }

  /** Stops listening; resolves once nothing does. */
  close(): Promise<void> {
    return this.#listeners.close();
  }

  /** Ends every connection there is left. */
  [Symbol.dispose](): void {
    this.#connections.abortAll();
    this.sockets[Symbol.dispose]();
  }

  #openThreads(): ClientThreads | undefined {
    const { clock, config, policy, values, hub, ingest, openThreads } = this.#options;
    const count = threadsOf(config());
    if (count <= 1) return undefined;
    if (openThreads === undefined) {
      throw new TypeError("Cannot serve as 'workers' is over 1: nothing opens threads here");
    }
    return openThreads({
      clock,
      count,
      expiries: this.#expiries,
      values,
      sockets: this.sockets,
      hub,
      statusChannels: () => ingest().statusChannels(),
      isOffered: (channel) => ingest().isOffered(channel),
      config,
      policy,
      authenticator: () => policy().authenticator,
      handler: () => this.#handler,
      tellLoss: (event) => ingest().tellLoss(event),
      tellDeparture: (departure) => ingest().tellDeparture(departure),
    });
  }
}
