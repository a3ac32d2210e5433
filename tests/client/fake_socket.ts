import type { SocketConstructor, SocketLike } from "../../src/client/socket.ts";

type Listeners = Record<string, ((event: never) => void)[]>;

/** A socket that does what the test says, at once. */
export class FakeSocket implements SocketLike {
  readonly url: URL;
  readonly protocols: readonly string[];
  /** What the client sent, parsed. */
  readonly sent: unknown[] = [];
  readyState = 0;
  /** Whether the other side answers a closing handshake. */
  answersClose = true;
  terminated = false;
  readonly #listeners: Listeners = {};

  constructor(url: string, protocols: readonly string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    (this.#listeners[type] ??= []).push(listener);
  }

  send(text: string): void {
    if (this.readyState !== 1) throw new Error("sent on a socket that is not open");
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    if (this.answersClose) queueMicrotask(() => this.drop(1000));
  }

  terminate(): void {
    this.terminated = true;
    queueMicrotask(() => this.drop(1006));
  }

  open(): void {
    this.readyState = 1;
    this.#fire("open", {});
  }

  /** Opens and welcomes. */
  welcome(data: Record<string, unknown> = {}): void {
    this.open();
    this.give(welcomeFrame(data));
  }

  give(...frames: object[]): void {
    for (const frame of frames) this.giveText(JSON.stringify(frame));
  }

  giveText(data: unknown): void {
    this.#fire("message", { data });
  }

  /** Fails to open, and says no more. */
  fail(): void {
    this.#fire("error", {});
  }

  /** Ends as a hub or a network would. */
  drop(code = 1006, reason = ""): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    if (code === 1006) this.#fire("error", {});
    this.#fire("close", { code, reason });
  }

  #fire(type: string, event: object): void {
    for (const listener of this.#listeners[type] ?? []) listener(event as never);
  }
}

/** Every socket a client made, oldest first. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: SocketConstructor;

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: readonly string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
  }

  get last(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error("the client has made no socket");
    return last;
  }

  /** Sockets that are not closed. */
  get open(): number {
    return this.sockets.filter(({ readyState }) => readyState !== 3).length;
  }
}

export function welcomeFrame(data: Record<string, unknown> = {}) {
  return {
    type: "welcome",
    timestamp: 1764000000,
    data: {
      session: "s1",
      epoch: "e1",
      seq: 0,
      channels: ["system_status", "notification", "heartbeat", "error"],
      heartbeat_ms: 10_000,
      recovered: false,
      gap: false,
      ...data,
    },
  };
}

export function statusFrame(data: unknown, seq: number, more: Record<string, unknown> = {}) {
  return {
    type: "system_status",
    timestamp: 1764000000,
    seq,
    data: { data, is_stale: false, cached_at: 1764000000, age_ms: 0, ...more },
  };
}

export function noteFrame(title: string, seq: number) {
  return { type: "notification", timestamp: 1764000000, seq, data: { title } };
}

export function beatFrame(seq: number) {
  return {
    type: "heartbeat",
    timestamp: 1764000000,
    seq,
    data: { timestamp: 1764000000, clients_connected: 1 },
  };
}

export function errorFrame(code: string, more: Record<string, unknown> = {}) {
  const { type = "error", seq, ...data } = more;
  return {
    type,
    timestamp: 1764000000,
    ...(seq === undefined ? {} : { seq }),
    data: {
      code,
      message: `told of ${code}`,
      timestamp: 1764000000,
      component: "hub",
      severity: "warning",
      ...data,
    },
  };
}
