import { PATIENCE_MS, Watched } from "./until.ts";

/** A frame as it came, before anybody believes in its type. */
export interface Heard {
  readonly type: string;
  readonly timestamp: number;
  readonly seq?: number;
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  readonly data: Record<string, any>;
  /** When it came, in monotonic milliseconds. */
  readonly at: number;
}

export interface WaitOptions {
  /** Milliseconds. */
  timeoutMs?: number;
  /** Looks only at frames from this place in `frames` on. Default: at all. */
  from?: number;
}

export interface ConnectOptions {
  protocols?: string[];
}

/** A WebSocket client that remembers every frame it hears, and how its connection ended. */
export class WsClient implements AsyncDisposable {
  readonly frames: Heard[] = [];
  /** How the connection ended; undefined while it has not. */
  end: { readonly code: number; readonly reason: string; readonly clean: boolean } | undefined;
  readonly #socket: WebSocket;
  readonly #watched = new Watched();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const value = JSON.parse(data);
      const at = performance.now();
      for (const frame of Array.isArray(value) ? value : [value]) {
        this.frames.push({ ...frame, at });
      }
      this.#watched.changed();
    };
    socket.onerror = () => {}; // the close that follows tells it all
    socket.onclose = ({ code, reason, wasClean }) => {
      this.end ??= { code, reason, clean: wasClean };
      this.#watched.changed();
    };
  }

  /** Connects and waits for the welcome. */
  static async connect(url: string, options: ConnectOptions = {}): Promise<WsClient> {
    const client = new WsClient(new WebSocket(url, options.protocols ?? []));
    await client.waitFor((frame) => frame.type === "welcome");
    return client;
  }

  get session(): string {
    return this.frames[0]?.data.session;
  }

  /** The error codes heard, in order, those inside status frames left out. */
  get codes(): string[] {
    return this.frames.flatMap(({ data }) => typeof data.code === "string" ? [data.code] : []);
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The first frame that fits, waited for if it is not there yet. */
  waitFor(fits: (frame: Heard) => boolean, options: WaitOptions = {}): Promise<Heard> {
    const { timeoutMs = PATIENCE_MS, from = 0 } = options;
    return this.#watched.until(() => {
      const found = this.frames.slice(from).find(fits);
      if (found === undefined && this.end) {
        throw new Error(`the connection ended first: ${JSON.stringify(this.end)}`);
      }
      return found;
    }, { timeoutMs, explain: () => `no such frame; heard ${this.#story(from)}` });
  }

  /** Waits until `count` frames that fit have come. */
  async waitForCount(
    count: number,
    fits: (frame: Heard) => boolean,
    options: WaitOptions = {},
  ): Promise<void> {
    let seen = 0;
    let next = options.from ?? 0;
    await this.waitFor(() => {
      for (; next < this.frames.length; next++) {
        const frame = this.frames[next];
        if (frame && fits(frame)) seen += 1;
      }
      return seen >= count;
    }, options);
  }

  /**
   * Waits for so many further heartbeats: what was to be said before has been said by then, so
   * that what is missing then was not said at all.
   */
  waitForBeats(count: number): Promise<void> {
    const from = this.frames.length;
    return this.waitForCount(count, ({ type }) => type === "heartbeat", { from });
  }

  /** Waits for the first error frame with this code. */
  waitForCode(code: string, options: WaitOptions = {}): Promise<Heard> {
    return this.waitFor((frame) => frame.data.code === code, options);
  }

  /** Waits for the connection's end. */
  waitForEnd(timeoutMs = PATIENCE_MS) {
    return this.#watched.until(() => this.end, {
      timeoutMs,
      explain: () => "the connection did not end",
    });
  }

  async close(): Promise<void> {
    if (this.end === undefined) this.#socket.close(1000);
    await this.waitForEnd();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #story(from: number): string {
    const told = this.frames.slice(from).map(({ type, data }) => data.code ?? type);
    return `${told.length} frames: ${told.slice(-40).join(" ")}`;
  }
}
