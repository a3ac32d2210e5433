import type { CallOptions } from "../../backend.ts";
import { Newest } from "../../stream/newest.ts";
import type {
  GrpcEndpoint,
  GrpcTransport,
  WireAnswer,
  WireCall,
  WireEvent,
  WireFailure,
} from "../transport.ts";
import type { Report } from "./message.ts";
import { type ProcessOptions, SupervisedProcess } from "./supervised_process.ts";

/** Most calls open at a time; more are unavailable. Sources ask one at a time each, so it is plenty. */
const MAX_OPEN_CALLS = 4096;

/** What waits for a report. */
interface OpenCall {
  onReport(report: Report, body: Uint8Array): void;
  onLost(failure: WireFailure): void;
}

/**
 * Carries gRPC calls in a process of its own, one a backend: the runtime's HTTP/2 library can be
 * brought to end or to hang its process by what a server sends, and no code of ours sees it come.
 * Here that is an *unavailable*.
 */
export class TransportProcess implements GrpcTransport {
  readonly #process: SupervisedProcess;
  readonly #calls = new Map<number, OpenCall>();
  #ids = 0;

  constructor(endpoint: GrpcEndpoint, options: ProcessOptions) {
    this.#process = new SupervisedProcess(endpoint, {
      ...options,
      onReport: (report, body) => this.#calls.get(report.id)?.onReport(report, body),
      onDeath: () => {
        for (const call of [...this.#calls.values()]) call.onLost(this.#unavailable());
        this.#calls.clear();
      },
    });
  }

  /** How often the process ended without being asked to. */
  get deaths(): number {
    return this.#process.deaths;
  }

  /** `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  unary(call: WireCall, options: CallOptions): Promise<WireAnswer> {
    const { signal, deadlineMs } = options;
    const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
    const id = this.#begin({
      onLost: resolve,
      onReport: (report, body) => {
        if (report.kind === "answer") resolve({ kind: "ok", bytes: body });
        if (report.kind === "failed") resolve(report.failure);
      },
    });
    if (id === undefined) return Promise.resolve(this.#unavailable());
    const onAbort = () => {
      this.#process.send({ kind: "cancel", id });
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const { service, name, body } = call;
    const deadline = deadlineMs === undefined ? {} : { deadlineMs };
    this.#process.send({ kind: "unary", id, service, name, ...deadline }, body);
    return promise.finally(() => {
      signal.removeEventListener("abort", onAbort);
      this.#calls.delete(id);
    });
  }

  async *stream(
    call: WireCall,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<WireEvent, WireFailure, undefined> {
    const newest = new Newest<WireEvent, WireFailure>();
    const id = this.#begin({
      onLost: (failure) => newest.end(failure),
      onReport: (report, body) => {
        // At most one is on its way: none takes the place of another here.
        if (report.kind === "opened") newest.put({ kind: "opened" });
        if (report.kind === "message") {
          newest.put({ kind: "message", bytes: body, cameAtMs: report.cameAtMs });
        }
        if (report.kind === "failed") newest.end(report.failure);
      },
    });
    if (id === undefined) return this.#unavailable();
    const { service, name, body } = call;
    this.#process.send({ kind: "stream", id, service, name }, body);
    let isOver = false;
    try {
      for (;;) {
        // Asked for one at a time: what comes faster is left out over there, before it costs us.
        this.#process.send({ kind: "more", id });
        const taken = await newest.take(signal);
        if (taken.kind === "item") {
          yield taken.item;
          continue;
        }
        isOver = true;
        return taken.how;
      }
    } finally {
      if (!isOver) this.#process.send({ kind: "cancel", id });
      this.#calls.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  /** A number for a call; `undefined` if there is no process to make it. */
  #begin(call: OpenCall): number | undefined {
    if (this.pid === undefined || this.#calls.size >= MAX_OPEN_CALLS) return undefined;
    const id = ++this.#ids;
    this.#calls.set(id, call);
    return id;
  }

  #unavailable(): WireFailure {
    const reason = this.pid === undefined ? this.#process.why : "too many gRPC calls are open";
    return { kind: "unavailable", reason };
  }
}
