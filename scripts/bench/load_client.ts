import { lines } from "./lines.ts";

/** What the load client found wrong, counted. All zero is the condition for a result. */
export interface Faults {
  /** Messages that some client never got. */
  readonly incomplete: number;
  /** Numbers passed over. */
  readonly skipped: number;
  /** Numbers that came again, or too late. */
  readonly repeated: number;
  /** Numbers that were never published. */
  readonly unknown: number;
  /** Messages that were not as they had been sent. */
  readonly altered: number;
  /** Connections on which something came that is no frame. */
  readonly broken: number;
  /** Connections that ended. */
  readonly lostClients: number;
}

/** What a window of publishing or listening brought. */
export interface Window {
  /** Of each message, the time from when it was due until the last client had it. */
  readonly completedAfterUs: readonly number[];
  readonly messages: number;
  /** Messages that came to any client. */
  readonly deliveries: number;
  /** Values that a later one of the same channel took the place of. */
  readonly conflated: number;
  readonly faults: Faults;
  /** Frames with at least one message, and those with none. */
  readonly frames: number;
  readonly otherFrames: number;
  readonly bytes: number;
  readonly serverCpuUs: number;
  readonly loadCpuUs: number;
  readonly elapsedUs: number;
  /** How late the last message could be sent, as the server had not answered the one before. */
  readonly behindUs: number;
}

/** How a stop went. */
export interface ShutdownNotice {
  readonly told: number;
  readonly closed: number;
  readonly present: number;
  readonly lastToldAfterUs: number;
  readonly lastClosedAfterUs: number;
}

/** How a churn went. */
export interface Churned {
  readonly begun: number;
  readonly completed: number;
  readonly failed: number;
  readonly crowdedOut: number;
  readonly serverCpuUs: number;
}

/** How a storm went. */
export interface Stormed {
  /** Frames that did not come. */
  readonly missing: number;
  readonly servedAfterUs: number;
  readonly serverCpuUs: number;
}

/** What the load client answers to each command. */
interface Answers {
  connect: { readonly connectedAfterUs: number };
  storm: Stormed;
  publish: Window;
  listen: Window;
  stop: ShutdownNotice;
  churn: Churned;
}

/** The longest that any command takes, in milliseconds. */
const COMMAND_MS = 150_000;

/** The load client (`native/load.c`) in a process of its own; it ends when it is disposed of. */
export class LoadClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #answers: AsyncGenerator<string, void, void>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #complaint: Promise<string>;
  #sourcesPort = 0;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#answers = lines(child.stdout);
    this.#writer = child.stdin.getWriter();
    this.#complaint = new Response(child.stderr).text();
  }

  /** @param command The program and its options; see `native/load.c`. */
  static async start([program = "", ...args]: readonly string[]): Promise<LoadClient> {
    const child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const client = new LoadClient(child);
    const { sourcesPort } = JSON.parse(await client.#answer());
    client.#sourcesPort = sourcesPort;
    return client;
  }

  /** Where its backend listens; 0 if it has none. */
  get sourcesPort(): number {
    return this.#sourcesPort;
  }

  /**
   * Gives a command and waits for its answer.
   *
   * @throws {Error} If the load client gives up; the message says why.
   */
  async command<Name extends keyof Answers>(
    name: Name,
    ...args: readonly number[]
  ): Promise<Answers[Name]> {
    const text = `${[name, ...args].join(" ")}\n`;
    await this.#writer.write(new TextEncoder().encode(text)).catch(() => {}); // it says why itself
    return JSON.parse(await this.#answer());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    const timer = setTimeout(() => this.#kill(), 1000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#answers.return();
    await this.#complaint;
  }

  async #answer(): Promise<string> {
    const timer = setTimeout(() => this.#kill(), COMMAND_MS);
    try {
      const { value } = await this.#answers.next();
      if (value !== undefined) return value;
    } finally {
      clearTimeout(timer);
    }
    const { signal } = await this.#child.status;
    const why = (await this.#complaint).trim();
    throw new Error(why || `the load client ended${signal ? ` by ${signal}` : ""}`);
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}
