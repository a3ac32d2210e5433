import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { logOf } from "../telemetry/log.ts";
import type { OwnedSockets } from "../server/sockets/socket_guard.ts";
import type { ThreadFigures } from "./figures.ts";
import { MessageWriter } from "./message_writer.ts";
import type { Batch, FromThread, ThreadFault, ToThread } from "./messages.ts";

export interface ServingThreadOptions {
  clock: Pick<Clock, "sleep">;
  /** Counted from 1: how logs and metrics call it. */
  number: number;
  /** The module it runs. Default: the one that serves clients; a test may have its own. */
  entry?: URL | undefined;
  onMessage: (message: FromThread) => void;
  /** It is no more; told once, unless {@linkcode ServingThread.terminate} was called. */
  onEnd: (cause: Error) => void;
}

/**
 * What a thread may owe, in characters that it was sent and has not taken. One that owes more has
 * stopped to work, and is ended: its clients come back to the others.
 */
export const MAX_UNTAKEN = 256 * 1024 * 1024;

/** How often it has to be heard of, in milliseconds; and after how many looks without it is hung. */
export const LOOK_EVERY_MS = 1000;
const LOOKS_UNTIL_SILENT = 5;
const LOOKS_UNTIL_ENDED = 30;

/** A thread that serves clients, as the main thread sees it. */
export class ServingThread {
  readonly number: number;
  /** The newest word of how many clients it has. */
  clients = 0;
  figures: ThreadFigures | undefined;
  /** Whether clients can come to it. */
  isListening = false;
  /** Its sockets, which outlive it if it hangs. */
  sockets: OwnedSockets | undefined;
  readonly #options: ServingThreadOptions;
  readonly #worker: Worker;
  readonly #writer: MessageWriter<ToThread>;
  readonly #answers = new Map<number, (message: FromThread | undefined) => void>();
  #ids = 0;
  #taken = 0;
  /** Looks since it was last heard of: counted, not timed, as the whole process may stand still. */
  #looks = 0;
  #hasEnded = false;

  constructor(options: ServingThreadOptions) {
    this.#options = options;
    this.number = options.number;
    this.#worker = new Worker(options.entry ?? new URL("thread.ts", import.meta.url), {
      type: "module",
      name: `worker ${options.number}`,
    });
    this.#writer = new MessageWriter(this.#worker);
    this.#worker.onmessage = ({ data }: MessageEvent<Batch<FromThread>>) => this.#take(data);
    this.#worker.onmessageerror = () => this.#end(new Error("a message could not be read"));
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(new Error(event.message));
    };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether it serves, and was heard of lately. */
  get isAlive(): boolean {
    return this.isListening && !this.#hasEnded && !this.isSilent;
  }

  /** Whether it should have been heard of since. */
  get isSilent(): boolean {
    return this.#looks >= LOOKS_UNTIL_SILENT;
  }

  /** How late its loop comes to what is due, in milliseconds: at worst of late, or at this moment. */
  get lagMs(): number {
    const unheardMs = this.#looks > 1 ? this.#looks * LOOK_EVERY_MS : 0;
    return Math.max(this.figures?.lagMs ?? 0, unheardMs);
  }

  /** @param chars Length of the texts in it. */
  post(message: ToThread, chars = 0): void {
    if (!this.#hasEnded) this.#writer.post(message, chars);
  }

  /** Sends at once what waits. */
  flush(): void {
    if (!this.#hasEnded) this.#writer.flush();
  }

  /** Asks, and resolves with the answer; undefined if there is none in time, or no thread any more. */
  async ask(
    question: (id: number) => ToThread,
    withinMs: number,
  ): Promise<FromThread | undefined> {
    if (this.#hasEnded) return undefined;
    const id = ++this.#ids;
    const { promise, resolve } = Promise.withResolvers<FromThread | undefined>();
    this.#answers.set(id, resolve);
    this.post(question(id));
    const answer = await withDeadline(this.#options.clock, withinMs, () => promise);
    this.#answers.delete(id);
    return answer.isLate ? undefined : answer.value;
  }

  /** Looks after it; to be called every {@linkcode LOOK_EVERY_MS}. */
  look(): void {
    if (this.#hasEnded) return;
    this.#looks += 1;
    if (this.#looks === LOOKS_UNTIL_SILENT) {
      logOf("workers").error("worker.silent", {
        worker: this.number,
        clients: this.clients,
        effect: "its clients hear nothing, new ones go to the other threads; " +
          "the service manager's watchdog is not fed",
      });
    }
    if (this.#looks >= LOOKS_UNTIL_ENDED) this.#end(new Error("it hung"));
    else if (this.#writer.sent - this.#taken > MAX_UNTAKEN) {
      this.#end(new Error("it does not take what it is sent"));
    }
  }

  /** Ends it for good; nobody is told. */
  terminate(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#worker.terminate();
    for (const settle of this.#answers.values()) settle(undefined);
    this.#answers.clear();
  }

  #take({ messages }: Batch<FromThread>): void {
    for (const message of messages) {
      if (this.#hasEnded) return;
      if (message.kind === "pulse") {
        if (this.isSilent) {
          logOf("workers").info("worker.heard_again", { worker: this.number });
        }
        this.#looks = 0;
        this.#taken = message.taken;
        if (message.figures) this.figures = message.figures;
      } else if (message.kind === "clients") this.clients = message.clients;
      else if (message.kind === "figures" || message.kind === "renewed") {
        this.#answers.get(message.id)?.(message);
      } else if (message.kind === "failed") {
        this.#end(errorOf(message.fault));
        return;
      }
      this.#options.onMessage(message);
    }
  }

  #end(cause: Error): void {
    if (this.#hasEnded) return;
    this.terminate();
    this.#options.onEnd(cause);
  }
}

/** The error that another thread has met, as the kind that it was. */
export function errorOf({ name, message }: ThreadFault): Error {
  if (name === "TypeError") return new TypeError(message);
  const kinds = Deno.errors as unknown as Record<string, (new (why: string) => Error) | undefined>;
  const Kind = kinds[name] ?? Error;
  return new Kind(message);
}

/** An error, to be told to another thread. */
export function faultOf(error: unknown): ThreadFault {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };
}
