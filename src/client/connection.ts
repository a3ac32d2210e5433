import { CLOSE } from "../protocol/close_code.ts";
import { parseFrames } from "../protocol/codec.ts";
import { channelKind } from "../protocol/channel.ts";
import type { ClientMessage, Frame, WelcomeData } from "../protocol/message.ts";
import { DeltaValues } from "./delta_values.ts";
import { READY, type SocketConstructor, type SocketLike } from "./socket.ts";
import { type ClientClock, type ClientMoment, elapsedMs, momentBy, pause } from "./time.ts";

/** How one connection ended. */
export type Ending =
  /** Closed by the hub or the network; codes as the runtime tells them (0 and 1006: no handshake). */
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }
  /** The door did not open. */
  | { readonly kind: "refused" }
  /** Neither opened nor refused, or opened without a welcome, in time. */
  | { readonly kind: "timeout"; readonly afterMs: number }
  /** Nothing was heard for longer than a living hub is silent. */
  | { readonly kind: "silent"; readonly forMs: number }
  /** What came is not the hub's protocol. */
  | { readonly kind: "protocol"; readonly why: string }
  /** The runtime would not even try. */
  | { readonly kind: "unusable"; readonly why: string }
  /** Ended from this side. */
  | { readonly kind: "left" };

export interface ConnectionOptions {
  protocols: string[];
  WebSocket: SocketConstructor;
  /** Reads the JSON of messages. */
  parse: (text: string) => unknown;
  clock: ClientClock;
  /** The most that opening may take, welcome included, in milliseconds. */
  openTimeoutMs: number;
  /** Called with each frame, the welcome first. */
  onFrame: (frame: Frame) => void;
}

/** Heartbeats that may be missing before a silent hub counts as dead. */
const SILENT_BEATS = 2.5;

/** How long an old socket is waited for before a new one may be opened, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 2000;

/** How long after its own deadline a hub that goes down is still waited for, in milliseconds. */
const SHUTDOWN_GRACE_MS = 1000;

/** One socket, from opening to its end; it ends once, with an {@linkcode Ending}. */
export class Connection {
  /** Resolves as soon as nothing more is to be expected of this connection. */
  readonly ended: Promise<Ending>;
  /** Resolves when its socket is closed, or was given up on after `CLOSE_TIMEOUT_MS`. */
  readonly closed: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #timers = new AbortController();
  readonly #closeTimer = new AbortController();
  readonly #values = new DeltaValues();
  #socket: SocketLike | undefined;
  #resolveEnded: (ending: Ending) => void = () => {};
  #resolveClosed: () => void = () => {};
  #ending: Ending | undefined;
  #opened = false;
  #welcomed = false;
  #heardAt: ClientMoment;
  #silentAfterMs = Infinity;

  constructor(url: string, options: ConnectionOptions) {
    this.#options = options;
    this.#heardAt = momentBy(options.clock);
    this.ended = new Promise((resolve) => this.#resolveEnded = resolve);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
    try {
      this.#socket = new options.WebSocket(url, options.protocols);
    } catch (error) {
      // Its message may quote the subprotocols, and with them the token.
      const name = error instanceof Error ? error.name : typeof error;
      this.end({ kind: "unusable", why: `the runtime would not open a WebSocket (${name})` });
      return;
    }
    this.#listen(this.#socket);
    void this.#watchOpening(options.openTimeoutMs);
  }

  /** Milliseconds since anything was heard of the hub. */
  get quietForMs(): number {
    return this.#options.clock.now() - this.#heardAt.now;
  }

  /**
   * Ends a connection that was silent for too long by either clock: timers stand still while a
   * machine sleeps.
   */
  endIfSilent(): void {
    const forMs = Math.round(elapsedMs(this.#options.clock, this.#heardAt));
    if (forMs > this.#silentAfterMs) this.end({ kind: "silent", forMs });
  }

  /** Sends a message, if the connection is open. */
  send(message: ClientMessage): void {
    if (this.#ending !== undefined || this.#socket?.readyState !== READY.open) return;
    this.#socket.send(JSON.stringify(message));
  }

  /** Ends the connection; only the first ending counts. */
  end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#resolveEnded(ending);
    this.#timers.abort();
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === READY.closed) return this.#finish();
    // A hub that does not speak will not answer a closing handshake either.
    if (ending.kind === "silent" && socket.terminate) socket.terminate();
    else if (socket.readyState !== READY.closing) socket.close(1000);
    void this.#watchClosing(socket);
  }

  /** Ends a connection to a hub that is going down, should it fail to do so by its deadline. */
  async endBy(deadlineMs: number): Promise<void> {
    const passed = await pause(
      this.#options.clock,
      deadlineMs + SHUTDOWN_GRACE_MS,
      this.#timers.signal,
    );
    if (passed) this.end({ kind: "closed", ...CLOSE.shutdown });
  }

  #listen(socket: SocketLike): void {
    socket.addEventListener("open", () => this.#opened = true);
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    // Once open, an error says nothing that the close after it does not. Before, it may be all
    // that comes: the WebSocket of Node 20 and `undici` 6 lets no close follow.
    socket.addEventListener("error", () => {
      if (!this.#opened) this.end({ kind: "refused" });
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.end(this.#opened ? { kind: "closed", code, reason } : { kind: "refused" });
      this.#finish();
    });
  }

  #finish(): void {
    this.#closeTimer.abort();
    this.#resolveClosed();
  }

  #receive(data: unknown): void {
    if (this.#ending !== undefined) return;
    this.#heardAt = momentBy(this.#options.clock);
    const frames = readFrames(data, this.#options.parse);
    if (frames === undefined) {
      return this.end({ kind: "protocol", why: "the hub sent something that is not a frame" });
    }
    for (const frame of frames) {
      if (!this.#welcomed) this.#admit(frame);
      if (this.#ending !== undefined) return; // a listener left in the middle of a batch
      const whole = this.#values.complete(frame);
      if (whole === undefined) {
        return this.end({
          kind: "protocol",
          why: "the hub sent a change of a value it had not sent",
        });
      }
      this.#options.onFrame(whole);
    }
  }

  /** Judges a frame of a connection that has seen no welcome; errors may come ahead of it. */
  #admit(frame: Frame): void {
    if (frame.type === "welcome" && isWelcome(frame.data)) {
      this.#welcomed = true;
      const { heartbeat_ms, channels } = frame.data;
      void this.#watchSilence(heartbeat_ms);
      if (!channels.includes("heartbeat")) void this.#askForSigns(heartbeat_ms);
    } else if (channelKind(frame.type) !== "hub") {
      this.end({ kind: "protocol", why: "the hub did not begin with a welcome" });
    }
  }

  async #watchOpening(timeoutMs: number): Promise<void> {
    const passed = await pause(this.#options.clock, timeoutMs, this.#timers.signal);
    if (passed && !this.#welcomed) this.end({ kind: "timeout", afterMs: timeoutMs });
  }

  async #watchSilence(heartbeatMs: number): Promise<void> {
    const limitMs = heartbeatMs * SILENT_BEATS;
    this.#silentAfterMs = limitMs;
    let leftMs = limitMs;
    while (await pause(this.#options.clock, leftMs, this.#timers.signal)) {
      leftMs = limitMs - this.quietForMs;
      if (leftMs <= 0) this.end({ kind: "silent", forMs: Math.round(this.quietForMs) });
    }
  }

  /** Pings a hub whose heartbeat this client may not hear, so that it is not silent. */
  async #askForSigns(everyMs: number): Promise<void> {
    while (await pause(this.#options.clock, everyMs, this.#timers.signal)) {
      this.send({ type: "ping" });
    }
  }

  async #watchClosing(socket: SocketLike): Promise<void> {
    const passed = await pause(this.#options.clock, CLOSE_TIMEOUT_MS, this.#closeTimer.signal);
    if (!passed) return;
    socket.terminate?.();
    this.#finish();
  }
}

function readFrames(
  data: unknown,
  parse: (text: string) => unknown,
): Frame[] | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const frames = parseFrames(data, parse);
    return frames.every(isFrame) ? frames : undefined;
  } catch {
    return undefined;
  }
}

function isFrame(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { type, data } = value as Partial<Frame>;
  return typeof type === "string" && typeof data === "object" && data !== null;
}

function isWelcome(data: unknown): data is WelcomeData {
  const { session, epoch, seq, channels, heartbeat_ms } = data as Partial<WelcomeData>;
  return typeof session === "string" && typeof epoch === "string" && typeof seq === "number" &&
    Array.isArray(channels) && typeof heartbeat_ms === "number" && heartbeat_ms > 0;
}
