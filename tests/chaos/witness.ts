import { type UntilOptions, Watched } from "../support/until.ts";
import { framesOf, Journal, type Life, type Told } from "./journal.ts";

/** A well-behaved client of one life in the test's own process. It must never be lost. */
export class Witness implements AsyncDisposable {
  readonly journal = new Journal();
  readonly #socket: WebSocket;
  readonly #watched = new Watched();

  private constructor(url: string) {
    this.journal.add({ k: "open", batch: false });
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = ({ data }) => {
      this.journal.add({ k: "told", frames: framesOf(data, Date.now()) });
      this.#watched.changed();
    };
    this.#socket.onerror = () => {}; // the close that follows tells it all
    this.#socket.onclose = ({ code, wasClean }) => {
      this.journal.add({ k: "end", end: { code, clean: wasClean } });
      this.#watched.changed();
    };
  }

  /** Connects and waits for the welcome. */
  static async connect(url: string): Promise<Witness> {
    const witness = new Witness(url);
    await witness.until(() => witness.frames[0], { explain: () => "no welcome" });
    return witness;
  }

  get life(): Life {
    const [life] = this.journal.lives;
    if (life === undefined) throw new Error("the journal is empty");
    return life;
  }

  get frames(): readonly Told[] {
    return this.life.frames;
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Looks after each message until there is something to be found. */
  until<T>(look: () => T | undefined, options: UntilOptions): Promise<T> {
    return this.#watched.until(look, options);
  }

  /** Waits for so many further heartbeats. */
  async beats(count: number): Promise<void> {
    let left = count;
    let next = this.frames.length;
    await this.until(() => {
      for (; next < this.frames.length; next++) {
        if (this.frames[next]?.type === "heartbeat") left -= 1;
      }
      return left <= 0 || undefined;
    }, { explain: () => `${left} of ${count} heartbeats did not come` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.life.end === undefined) this.#socket.close(1000);
    await this.until(() => this.life.end, { explain: () => "the connection did not end" });
  }
}
