import { PATIENCE_MS, Watched } from "./until.ts";

/** A block of an event stream: an event, or comments alone. */
export interface StreamEvent {
  readonly id: string | undefined;
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  readonly frame: any;
  readonly comment: string | undefined;
  readonly retry: number | undefined;
}

export interface SseOptions {
  /** Sent as `Last-Event-ID`. */
  lastEventId?: string;
  token?: string;
}

/** Reads an event stream (WHATWG HTML, section 9.2) and remembers every block of it. */
export class SseClient implements AsyncDisposable {
  readonly blocks: StreamEvent[] = [];
  readonly response: Response;
  hasEnded = false;
  readonly #watched = new Watched();
  readonly #stop: AbortController;
  readonly #reading: Promise<void>;

  private constructor(response: Response, stop: AbortController) {
    this.response = response;
    this.#stop = stop;
    this.#reading = this.#read();
  }

  /** Connects; the welcome is the first of `frames`. */
  static async connect(url: string, options: SseOptions = {}): Promise<SseClient> {
    const { lastEventId, token } = options;
    const stop = new AbortController();
    const response = await fetch(url, {
      signal: stop.signal,
      headers: {
        ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    return new SseClient(response, stop);
  }

  // deno-lint-ignore no-explicit-any -- as above
  get frames(): any[] {
    return this.blocks.flatMap(({ frame }) => frame === undefined ? [] : [frame]);
  }

  /** The id a browser would resume from. */
  get lastEventId(): string | undefined {
    return this.blocks.findLast(({ id }) => id !== undefined)?.id;
  }

  waitFor(fits: (block: StreamEvent) => boolean): Promise<StreamEvent> {
    return this.#watched.until(() => {
      const found = this.blocks.find(fits);
      if (found === undefined && this.hasEnded) throw new Error("the stream ended first");
      return found;
    }, { explain: () => `no such block among ${this.blocks.length}` });
  }

  waitForType(type: string): Promise<StreamEvent> {
    return this.waitFor(({ frame }) => frame?.type === type);
  }

  waitForEnd(): Promise<true> {
    return this.#watched.until(() => this.hasEnded || undefined, {
      timeoutMs: PATIENCE_MS,
      explain: () => "the stream did not end",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    try {
      for await (const text of this.response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        this.blocks.push(...blocks.map(parseBlock));
        this.#watched.changed();
      }
    } catch {
      // Aborted, by us or by the hub: the end all the same.
    }
    this.hasEnded = true;
    this.#watched.changed();
  }
}

function parseBlock(block: string): StreamEvent {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ""));
  }
  const data = fields.get("data");
  const retry = fields.get("retry");
  return {
    id: fields.get("id"),
    frame: data === undefined ? undefined : JSON.parse(data),
    comment: fields.get(""),
    retry: retry === undefined ? undefined : Number(retry),
  };
}
