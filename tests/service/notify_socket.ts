import { Watched } from "../support/until.ts";

/** A Unix datagram socket as a service manager has one, in a process of its own. */
const RECEIVER = `
import json, socket, sys, threading
path, waits = sys.argv[1], sys.argv[2] == "wait"
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + path[1:] if path.startswith("@") else path)
print(json.dumps("bound"), flush=True)
if waits: sys.stdin.readline()
def receive():
    while True: print(json.dumps(s.recv(8192).decode()), flush=True)
threading.Thread(target=receive, daemon=True).start()
sys.stdin.read()
`;

/**
 * Receives what a service tells its manager.
 *
 * @example
 * ```ts
 * await using manager = await NotifySocket.bind("@name");
 * await manager.waitFor("READY=1");
 * ```
 */
export class NotifySocket implements AsyncDisposable {
  /** Value of `NOTIFY_SOCKET`. */
  readonly path: string;
  /** Messages in the order they came. */
  readonly messages: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #watched = new Watched();
  readonly #reading: Promise<void>;
  #isBound = false;

  /** Binds a socket; `waits`: it receives nothing until {@linkcode receive}. */
  static async bind(path: string, options: { waits?: boolean } = {}): Promise<NotifySocket> {
    const socket = new NotifySocket(path, options.waits ?? false);
    await socket.#watched.until(() => socket.#isBound || undefined, {
      explain: () => "the receiver did not start",
    });
    return socket;
  }

  private constructor(path: string, waits: boolean) {
    this.path = path;
    this.#child = new Deno.Command("/usr/bin/python3", {
      args: ["-c", RECEIVER, path, waits ? "wait" : "now"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Begins to receive. */
  async receive(): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode("\n"));
  }

  /** The lines of all messages, in order. */
  get lines(): string[] {
    return this.messages.flatMap((message) => message.split("\n"));
  }

  /** Waits until this line was received `times` times. */
  async waitFor(line: string, times = 1): Promise<void> {
    await this.#watched.until(
      () => this.lines.filter((each) => each === line).length >= times || undefined,
      { explain: () => `no ${line}; received ${JSON.stringify(this.messages.slice(-20))}` },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close();
    await this.#reading;
    await this.#child.status;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (this.#isBound) this.messages.push(JSON.parse(line));
        this.#isBound = true;
      }
      this.#watched.changed();
    }
  }
}
