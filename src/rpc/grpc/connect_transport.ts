import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";
import type { CallOptions } from "../backend.ts";
import { Arrivals } from "../stream/arrivals.ts";
import { Newest } from "../stream/newest.ts";
import { GrpcChannel } from "./channel.ts";
import { outcomeOf } from "./outcome.ts";
import { hasModernHttp2 } from "./runtime.ts";
import type {
  GrpcEndpoint,
  GrpcTransport,
  WireAnswer,
  WireCall,
  WireEvent,
  WireFailure,
} from "./transport.ts";
import { fromWire, toWire, wireMethod } from "./wire.ts";

/**
 * Silence after which a stream is given up where the runtime can neither ping nor tell that a
 * connection broke, in milliseconds.
 */
const UNPINGED_SILENCE_MS = 60_000;

/** Moves the bytes of gRPC calls in this very process. The connection is opened by the first call. */
export class ConnectTransport implements GrpcTransport {
  readonly #channel: GrpcChannel;
  readonly #transport: Transport;
  readonly #headers: Headers;
  readonly #maxResponseBytes: number;
  /** What stands before `package.Service/Method` in a path; mostly nothing. */
  readonly #prefix: string;
  /** At most one for each method of the `.proto` file. */
  readonly #unary = new Map<string, ReturnType<typeof wireMethod<"unary">>>();

  /** @throws {RangeError} If this Deno cannot use certificates of one's own. */
  constructor(endpoint: GrpcEndpoint) {
    const { url, headers, maxResponseBytes } = endpoint;
    this.#headers = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
    this.#maxResponseBytes = maxResponseBytes;
    this.#prefix = new URL(url).pathname.replace(/\/+$/, "");
    this.#channel = new GrpcChannel(new URL(url), endpoint);
    this.#transport = createGrpcTransport({
      baseUrl: url,
      sessionManager: this.#channel,
      readMaxBytes: maxResponseBytes,
      // No compression: a small message may otherwise become a large one here.
      acceptCompression: [],
    });
  }

  async unary(call: WireCall, { signal, deadlineMs }: CallOptions): Promise<WireAnswer> {
    try {
      const { message } = await this.#transport.unary(
        this.#unaryMethod(call),
        signal,
        // The wire counts in whole milliseconds, and 0 would be no deadline at all.
        deadlineMs === undefined ? undefined : Math.ceil(deadlineMs),
        this.#headers,
        toWire(call.body),
      );
      return { kind: "ok", bytes: fromWire(message) };
    } catch (error) {
      signal.throwIfAborted();
      return this.#failureOf(error);
    }
  }

  async *stream(
    call: WireCall,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<WireEvent, WireFailure, undefined> {
    signal.throwIfAborted();
    try {
      await this.#channel.connectedFor(`${this.#prefix}/${call.service}/${call.name}`);
    } catch (error) {
      signal.throwIfAborted();
      return this.#failureOf(error);
    }
    const newest = new Newest<WireEvent, WireFailure>();
    const own = new AbortController();
    const reading = this.#read(call, newest, AbortSignal.any([signal, own.signal]));
    try {
      yield { kind: "opened" };
      for (;;) {
        const taken = await newest.take(signal);
        if (taken.kind === "ended") return taken.how;
        yield taken.item;
      }
    } finally {
      own.abort();
      await reading;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#channel[Symbol.dispose]();
    return Promise.resolve();
  }

  async #read(
    { service, name, body }: WireCall,
    newest: Newest<WireEvent, WireFailure>,
    signal: AbortSignal,
  ): Promise<void> {
    const once = async function* () {
      yield toWire(body);
    };
    using arrivals = new Arrivals();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      if (hasModernHttp2()) return;
      clearTimeout(silence);
      silence = setTimeout(() => {
        const reason = `nothing was heard for ${UNPINGED_SILENCE_MS / 1000} s`;
        newest.end({ kind: "unavailable", reason });
      }, UNPINGED_SILENCE_MS);
    };
    heard();
    try {
      const { message: messages } = await this.#transport.stream(
        wireMethod(service, name, "server_streaming"),
        signal,
        undefined,
        this.#headers,
        once(),
      );
      for await (const message of messages) {
        heard();
        newest.put({
          kind: "message",
          bytes: fromWire(message),
          cameAtMs: arrivals.cameAtMs(),
        });
      }
      newest.end({ kind: "unavailable", reason: "the stream ended" });
    } catch (error) {
      newest.end(this.#failureOf(error));
    } finally {
      clearTimeout(silence);
    }
  }

  #unaryMethod({ service, name }: WireCall) {
    const path = `${service}/${name}`;
    const method = this.#unary.get(path) ?? wireMethod(service, name, "unary");
    this.#unary.set(path, method);
    return method;
  }

  /** The library tells an answer that is too large from the server's own words by its text alone. */
  #failureOf(error: unknown): WireFailure {
    const message = error instanceof Error ? error.message : String(error);
    if (!/larger than configured readMaxBytes/.test(message)) return outcomeOf(error);
    const reason = `the answer is larger than ${this.#maxResponseBytes} bytes`;
    return { kind: "unavailable", reason };
  }
}
