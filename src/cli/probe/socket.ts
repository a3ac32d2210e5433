import { protocolsFor } from "../../client/address.ts";
import type { HubAccess } from "../hub_access.ts";
import type { Clock } from "../../resilience/clock.ts";
import { isObject, type RawFrame } from "./shapes.ts";

/** A frame with when it came, in monotonic milliseconds and by this machine's wall clock. */
export interface HeardFrame {
  readonly frame: RawFrame;
  readonly at: number;
  readonly wallSeconds: number;
}

/** How a connection ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export interface ProbeSocketOptions {
  token: string | undefined;
  access: HubAccess;
  clock: Clock;
  /** Ends every wait. */
  signal: AbortSignal;
  /** The most that one wait for the hub may take, in milliseconds. */
  patienceMs: number;
  /** Called with each frame, before anyone who waits for it. */
  onFrame?: (heard: HeardFrame) => void;
  /** Called with what is no frame at all. */
  onRubbish?: (what: string) => void;
}

/** Frames that are kept for waits to look at; older ones go. */
const MAX_KEPT = 1000;

/**
 * One plain WebSocket that believes nothing: it keeps what came, and waits for what should come.
 * Disposing of it closes it in good order, so that the hub need not tell others of a lost client.
 */
export class ProbeSocket implements AsyncDisposable {
  readonly #options: ProbeSocketOptions;
  readonly #socket: WebSocket;
  readonly #lookers = new Set<() => void>();
  #kept: HeardFrame[] = [];
  #count = 0;
  #opened = false;
  #closed: SocketEnd | undefined;

  constructor(url: string, options: ProbeSocketOptions) {
    this.#options = options;
    this.#socket = new options.access.WebSocket(url, protocolsFor(options.token));
    this.#socket.onopen = () => {
      this.#opened = true;
      this.#look();
    };
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onerror = () => {}; // the close that follows tells it all
    this.#socket.onclose = ({ code, reason, wasClean }) => {
      this.#closed ??= { code, reason, wasClean };
      this.#look();
    };
  }

  get closed(): SocketEnd | undefined {
    return this.#closed;
  }

  get isOpen(): boolean {
    return this.#opened && this.#closed === undefined;
  }

  /** How many frames have come; a place to wait from. */
  get count(): number {
    return this.#count;
  }

  /** Resolves with whether it opened. */
  async opened(): Promise<boolean> {
    await this.#until(() => this.#opened || this.#closed !== undefined, this.#options.patienceMs);
    return this.#opened;
  }

  send(message: unknown): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** The first frame from place `from` on that fits; `undefined` if none comes in time. */
  async waitFor(
    fits: (frame: RawFrame) => boolean,
    { from, timeoutMs = this.#options.patienceMs }: { from: number; timeoutMs?: number },
  ): Promise<HeardFrame | undefined> {
    let found: HeardFrame | undefined;
    await this.#until(() => {
      found = this.since(from).find(({ frame }) => fits(frame));
      return found !== undefined || this.#closed !== undefined;
    }, timeoutMs);
    return found;
  }

  /** What came from place `from` on, as far as it is still kept. */
  since(from: number): readonly HeardFrame[] {
    const dropped = this.#count - this.#kept.length;
    return this.#kept.slice(Math.max(0, from - dropped));
  }

  /** Waits until the hub has ended the connection; `undefined` if it does not. */
  async waitForClose(timeoutMs: number = this.#options.patienceMs): Promise<SocketEnd | undefined> {
    await this.#until(() => this.#closed !== undefined, timeoutMs);
    return this.#closed;
  }

  /** Lets time pass, or less if the connection ends. */
  async stay(ms: number): Promise<void> {
    await this.#until(() => this.#closed !== undefined, ms);
  }

  /** Closes in good order; resolves with how that went, `undefined` if the hub does not answer. */
  close(): Promise<SocketEnd | undefined> {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(1000);
    return this.waitForClose(CLOSE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(1000);
    // Also when the probe was told to stop: a moment for the closing handshake.
    if (this.#closed !== undefined) return;
    const { clock } = this.#options;
    const done = new AbortController();
    const look = () => this.#closed && done.abort();
    this.#lookers.add(look);
    await clock.sleep(CLOSE_MS, { signal: done.signal }).catch(() => {});
    this.#lookers.delete(look);
  }

  #receive(data: unknown): void {
    const { clock, onFrame, onRubbish } = this.#options;
    const value = typeof data === "string" ? parse(data) : undefined;
    if (!isObject(value) || typeof value["type"] !== "string") {
      onRubbish?.(typeof data === "string" ? data.slice(0, 60) : "a binary message");
      return;
    }
    const heard: HeardFrame = {
      frame: value as unknown as RawFrame,
      at: clock.now(),
      wallSeconds: clock.unixSeconds(),
    };
    this.#kept.push(heard);
    this.#count += 1;
    if (this.#kept.length >= 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT);
    onFrame?.(heard);
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#lookers]) look();
  }

  /** Waits until `isSo`, the time is over or the probe is told to stop. */
  async #until(isSo: () => boolean, timeoutMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    if (signal.aborted || isSo()) return;
    const found = new AbortController();
    const look = () => {
      if (isSo()) found.abort();
    };
    const stop = () => found.abort();
    this.#lookers.add(look);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await clock.sleep(timeoutMs, { signal: found.signal });
    } catch (error) {
      if (!found.signal.aborted) throw error;
    } finally {
      this.#lookers.delete(look);
      signal.removeEventListener("abort", stop);
    }
  }
}

/** How long the hub gets to answer a close, in milliseconds. */
export const CLOSE_MS = 2000;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
