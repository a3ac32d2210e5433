// @ts-types="../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { failure, type Method, RPC_CODE } from "./answer.ts";
import { deadlineSignal } from "./deadline_signal.ts";
import { FAULT_METHODS } from "./fault_methods.ts";
import { type FaultMode, type Faults, SLOW_MS } from "./faults.ts";
import { answerRpc, methodsOf, parseRpc, rpcErrorText } from "./json_rpc_server.ts";
import { readRequestText, type RequestText } from "./request_text.ts";

/** A page beside `/rpc`; `undefined` if it has nothing at that path. */
export type Pages = (request: Request, url: URL) => Promise<Response | undefined>;

export interface BackendServerOptions {
  clock: Clock;
  hostname: string;
  /** 0 lets the system choose one, which is then kept. */
  port: number;
  methods: ReadonlyMap<string, Method>;
  /** Misbehaviour, where it is wanted at all. */
  faults?: Faults;
  pages: Pages;
}

/** Largest request body, in bytes. */
const MAX_BODY_BYTES = 65_536;

/** How long a request's body may take to come, in milliseconds. */
const BODY_DEADLINE_MS = 10_000;

/** How long a method may take, in milliseconds. */
const METHOD_DEADLINE_MS = 5000;

/**
 * Most requests left hanging at a time; one more, and the one that hangs longest is answered with
 * 503. That client has most likely left, which the runtime does not tell.
 */
const MAX_HANGING = 256;

/** How long requests under way get when the port closes, in milliseconds. */
const CLOSE_MS = 1000;

/** How long to wait before another attempt to open the port again, in milliseconds. */
const REOPEN_EVERY_MS = 500;

const JSON_HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/**
 * The backend's HTTP side: JSON-RPC at `/rpc`, pages beside it, and the faults in between. The
 * fault methods themselves and the pages always answer, but for a closed port.
 */
export class BackendServer implements AsyncDisposable {
  readonly #options: BackendServerOptions;
  readonly #log: Log = logOf("demo");
  readonly #stop = new AbortController();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  /** Ends the requests left hanging, oldest first. */
  readonly #hanging = new Set<() => void>();
  #port: number;
  #refusing: Promise<void> | undefined;

  /** @throws {Deno.errors.AddrInUse} If the address is taken, or another of {@linkcode Deno.errors}. */
  constructor(options: BackendServerOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#listen();
  }

  /** Where it can be reached, with the port it really has. */
  get url(): string {
    const { hostname } = this.#options;
    return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${this.#port}`;
  }

  /** Looks at the faults again: requests that hang are let go, and the port closes if it is to. */
  faultsChanged(): void {
    this.#letGo();
    if (this.#options.faults?.refuseForMs()) this.#refusing ??= this.#refuse();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#refusing;
    await this.#close();
  }

  #listen(): void {
    const { hostname } = this.#options;
    this.#server = Deno.serve({
      hostname,
      port: this.#port,
      onListen: () => {},
      onError: (error) => {
        this.#log.error("request.failed", { why: error });
        return plain(STATUS_CODE.InternalServerError, "the backend failed to answer");
      },
    }, (request) => this.#handle(request));
    this.#port = this.#server.addr.port;
  }

  async #handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (!isOwnPage(request, url)) {
      return plain(STATUS_CODE.Forbidden, "pages of other origins may not talk to this backend");
    }
    if (url.pathname !== "/rpc") {
      return await this.#options.pages(request, url) ??
        plain(STATUS_CODE.NotFound, "there is nothing here; JSON-RPC is at /rpc");
    }
    if (request.method !== "POST") {
      return plain(STATUS_CODE.MethodNotAllowed, "JSON-RPC needs POST", { allow: "POST" });
    }
    return await this.#rpc(request);
  }

  async #rpc(request: Request): Promise<Response> {
    const body = await this.#read(request);
    if (body.kind === "too_large") {
      const message = `Invalid Request: a body of more than ${MAX_BODY_BYTES} bytes`;
      const text = rpcErrorText(RPC_CODE.invalidRequest, message);
      return rpcReply(STATUS_CODE.ContentTooLarge, text);
    }
    if (body.kind === "unreadable") {
      const message = "Parse error: the body broke off, took too long or is not UTF-8";
      return rpcReply(STATUS_CODE.BadRequest, rpcErrorText(RPC_CODE.parseError, message));
    }
    const requests = parseRpc(body.text);
    const fault = this.#faultOf(methodsOf(requests));
    const spoiled = fault === undefined ? undefined : await this.#misbehave(fault);
    if (spoiled !== undefined) return spoiled;
    using deadline = deadlineSignal(METHOD_DEADLINE_MS, { parent: this.#stop.signal });
    const { signal } = deadline;
    const text = await answerRpc(requests, { methods: this.#methods(), signal });
    return text === undefined
      ? new Response(null, { status: STATUS_CODE.NoContent })
      : rpcReply(STATUS_CODE.OK, text);
  }

  async #read(request: Request): Promise<RequestText> {
    using deadline = deadlineSignal(BODY_DEADLINE_MS, { parent: this.#stop.signal });
    return await readRequestText(request, { maxBytes: MAX_BODY_BYTES, signal: deadline.signal });
  }

  /** The methods, those with the fault `error` replaced by one that gives it. */
  #methods(): ReadonlyMap<string, Method> {
    const { methods, faults } = this.#options;
    if (faults === undefined || faults.list().length === 0) return methods;
    const fail = () => failure(RPC_CODE.serverError, "fault: error");
    return new Map([...methods].map(([name, method]) => [
      name,
      !isExempt(name) && faults.of(name) === "error" ? fail : method,
    ]));
  }

  /** The fault that a request meets; one that switches faults meets none. */
  #faultOf(methods: readonly string[]): FaultMode | undefined {
    const { faults } = this.#options;
    if (faults === undefined) return undefined;
    if (methods.some(isExempt)) return undefined;
    for (const method of methods) {
      const mode = faults.of(method);
      if (mode !== undefined) return mode;
    }
    return undefined;
  }

  /** What a fault makes of an answer; `undefined` if that is given all the same. */
  async #misbehave(mode: FaultMode): Promise<Response | undefined> {
    const { signal } = this.#stop;
    switch (mode) {
      case "refuse": // the request came on a connection that is just being closed
        return plain(STATUS_CODE.ServiceUnavailable, "fault: refuse");
      case "hang":
        return await this.#hang();
      case "slow":
        await this.#options.clock.sleep(SLOW_MS, { signal }).catch(() => {}); // stopping
        return undefined;
      case "garbage":
        return rpcReply(STATUS_CODE.OK, `{"jsonrpc": "2.0", "result": <<<garbage>>>`);
      case "error": // told by the methods themselves, each with its request's id
        return undefined;
      case "500":
        return plain(STATUS_CODE.InternalServerError, "fault: 500");
    }
  }

  async #hang(): Promise<Response> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#stop.signal.aborted) resolve();
    this.#hanging.add(resolve);
    const [oldest] = this.#hanging;
    if (this.#hanging.size > MAX_HANGING) oldest?.();
    await promise;
    this.#hanging.delete(resolve);
    return plain(STATUS_CODE.ServiceUnavailable, "fault: hang");
  }

  #letGo(): void {
    for (const release of this.#hanging) release();
  }

  /** Closes the port for as long as the faults say, then opens it again. */
  async #refuse(): Promise<void> {
    const { clock, faults } = this.#options;
    const { signal } = this.#stop;
    await this.#close();
    this.#log.info("fault.port_closed", { for_ms: faults?.refuseForMs() });
    try {
      for (let left = faults?.refuseForMs() ?? 0; left > 0; left = faults?.refuseForMs() ?? 0) {
        await clock.sleep(left, { signal });
      }
      while (!this.#tryListen()) await clock.sleep(REOPEN_EVERY_MS, { signal });
    } catch {
      // Stopped meanwhile.
    }
    this.#refusing = undefined;
  }

  #tryListen(): boolean {
    try {
      this.#listen();
      this.#log.info("fault.port_open", { url: this.url });
      return true;
    } catch (error) {
      this.#log.error("fault.port_taken", { why: error });
      return false;
    }
  }

  async #close(): Promise<void> {
    this.#letGo();
    const server = this.#server;
    this.#server = undefined;
    const bound = new AbortController();
    await Promise.race([
      server?.shutdown(),
      this.#options.clock.sleep(CLOSE_MS, { signal: bound.signal }).catch(() => {}),
    ]);
    bound.abort();
  }
}

/** Browsers name the origin of a page that sends something; only the backend's own page may. */
function isOwnPage(request: Request, url: URL): boolean {
  const origin = request.headers.get("origin");
  return origin === null || origin === url.origin;
}

function isExempt(method: string): boolean {
  return FAULT_METHODS.some((each) => each === method);
}

function rpcReply(status: number, text: string): Response {
  return new Response(text, { status, headers: JSON_HEADERS });
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
