/// <reference lib="dom" />
import { HoldfastClient } from "../../client/mod.ts";
import type {
  ChannelState,
  ConnectionState,
  ErrorEvent,
  NotificationData,
} from "../../client/mod.ts";
import { storedToken, storeToken } from "./token.ts";

export interface HubLinkOptions {
  /** Where the hub is. */
  hub: URL;
  /** The connection changed; `before` is what it was. */
  onState: (state: ConnectionState, before: ConnectionState["kind"]) => void;
  onStatus: (state: ChannelState) => void;
  onError: (error: ErrorEvent) => void;
  onNotification: (data: NotificationData) => void;
  onGap: () => void;
  onHeartbeat: () => void;
}

/** The page's connection to its hub, and what it says of itself. */
export class HubLink {
  readonly #options: HubLinkOptions;
  #client: HoldfastClient | undefined;
  #connection: ConnectionState = { kind: "connecting", attempt: 1 };
  #since = performance.now();
  #clients: number | undefined;
  #clusterClients: number | undefined;
  #beatAt: number | undefined;

  constructor(options: HubLinkOptions) {
    this.#options = options;
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get isOpen(): boolean {
    return this.#connection.kind === "open";
  }

  /** For how long the connection has been as it is, in milliseconds. */
  get sinceMs(): number {
    return performance.now() - this.#since;
  }

  get channels(): readonly string[] {
    return this.#client?.channels ?? [];
  }

  read(channel: string): ChannelState {
    return this.#client?.read(channel) ?? { kind: "never_seen", channel, why: "not connected" };
  }

  /** What its heartbeats told. */
  facts() {
    return {
      ...(this.isOpen && this.#clients !== undefined ? { clients: this.#clients } : {}),
      ...(this.#clusterClients === undefined ? {} : { clusterClients: this.#clusterClients }),
      ...(this.#beatAt === undefined ? {} : { heartbeatAgoMs: performance.now() - this.#beatAt }),
    };
  }

  /** Connects, unless the hub has said already that it wants a token and there is none. */
  start({ wantsToken }: { wantsToken: boolean }): void {
    const token = storedToken();
    if (wantsToken && token === undefined) {
      this.#onState({ kind: "stopped", code: "unauthorized", reason: "a token is needed" });
    } else this.#connect(token);
  }

  reconnect(): void {
    this.#client?.reconnect();
  }

  useToken(token: string): void {
    storeToken(token);
    if (this.#client === undefined) this.#connect(token);
    else this.#client.reconnect({ token });
  }

  #connect(token: string | undefined): void {
    const { hub, onStatus, onError, onNotification, onGap, onHeartbeat } = this.#options;
    const client = new HoldfastClient(hub, token === undefined ? {} : { token });
    this.#client = client;
    client.on("state", (state) => this.#onState(state));
    client.on("status", onStatus);
    client.on("error", onError);
    client.on("gap", onGap);
    client.on("notification", onNotification);
    client.on("heartbeat", ({ clients_connected, cluster_clients_connected }) => {
      this.#clients = clients_connected;
      this.#clusterClients = cluster_clients_connected;
      this.#beatAt = performance.now();
      onHeartbeat();
    });
  }

  #onState(state: ConnectionState): void {
    const before = this.#connection.kind;
    this.#connection = state;
    this.#since = performance.now();
    this.#options.onState(state, before);
  }
}
