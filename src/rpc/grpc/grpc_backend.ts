import protojson from "protobufjs/ext/protojson";
import type protobuf from "protobufjs";
import {
  type Call,
  type CallOptions,
  type Outcome,
  type StreamEnd,
  type StreamEvent,
  type StreamingBackend,
  valueOutcome,
} from "../backend.ts";
import { endpointOf } from "../endpoint.ts";
import { findMethod, type MethodUse } from "./method.ts";
import { oneLine } from "./one_line.ts";
import { loadProto } from "./proto.ts";
import { hasModernHttp2 } from "./runtime.ts";
import type { GrpcEndpoint, GrpcPem, GrpcTransport, WireFailure } from "./transport.ts";

export interface GrpcOptions {
  /** `http://host:port` is plaintext, `https://host:port` is TLS. */
  url: string;
  /** The `.proto` file of the methods that are called. Default: only the health service. */
  protoFile?: string;
  /** Metadata of every call. Default: none. */
  headers?: Readonly<Record<string, string>>;
  /** Largest response message accepted, in bytes. */
  maxResponseBytes: number;
  /** PEM files, for `https://`. Default: the authorities that Deno trusts, no client certificate. */
  tls?: GrpcPem;
  /** Silence after which an open call pings the server, in milliseconds. Default 10 s. */
  keepaliveMs?: number;
  /** How long the answer to a ping may take, in milliseconds. Default 5 s. */
  keepaliveTimeoutMs?: number;
  /** Makes what carries the bytes; disposed of with the backend. */
  openTransport: (endpoint: GrpcEndpoint) => GrpcTransport;
}

/** Longest the connection may be silent under an open call before it is pinged, in milliseconds. */
const KEEPALIVE_MS = 10_000;

/** Longest a ping may stay unanswered, in milliseconds. */
const KEEPALIVE_TIMEOUT_MS = 5_000;

/** The largest message Connect can be told of, in bytes. */
const MOST_RESPONSE_BYTES = 0xffffffff;

const HEALTH_RESPONSE = ".grpc.health.v1.HealthCheckResponse";

/**
 * Makes a backend that is asked by unary gRPC calls, `package.Service/Method`. Parameters and
 * values are in protobuf's JSON mapping. The connection is opened by the first call.
 *
 * @throws {RangeError} If an option is out of range or a PEM file cannot be read.
 * @throws {ProtoError} If the `.proto` file cannot be used.
 */
export function createGrpcBackend(options: GrpcOptions): GrpcBackend {
  return new GrpcBackend(options);
}

export class GrpcBackend implements StreamingBackend {
  readonly #root: protobuf.Root;
  readonly #transport: GrpcTransport;

  constructor(options: GrpcOptions) {
    const {
      protoFile,
      maxResponseBytes,
      keepaliveMs = KEEPALIVE_MS,
      keepaliveTimeoutMs = KEEPALIVE_TIMEOUT_MS,
      tls = {},
    } = options;
    if (
      !Number.isInteger(maxResponseBytes) || maxResponseBytes < 1 ||
      maxResponseBytes > MOST_RESPONSE_BYTES
    ) {
      throw new RangeError(
        `Cannot create a backend as 'maxResponseBytes' must be an integer from 1 to ${MOST_RESPONSE_BYTES}: current value is ${maxResponseBytes}`,
      );
    }
    for (const [name, ms] of Object.entries({ keepaliveMs, keepaliveTimeoutMs })) {
      if (ms > 0 && ms < 2 ** 31) continue;
      throw new RangeError(
        `Cannot create a backend as '${name}' must be a positive number of milliseconds below 2^31: current value is ${ms}`,
      );
    }
    const { url, headers } = endpointOf(options.url, options.headers);
    this.#root = loadProto(protoFile);
    this.#transport = options.openTransport({
      url: url.origin + url.pathname,
      headers: [...headers],
      maxResponseBytes,
      tls: readPem(tls),
      keepaliveMs,
      keepaliveTimeoutMs,
    });
  }

  async call(call: Call, options: CallOptions): Promise<Outcome> {
    const { signal, deadlineMs } = options;
    signal.throwIfAborted();
    if (deadlineMs !== undefined && deadlineMs <= 0) {
      return { kind: "unavailable", reason: "no time left for the call" };
    }
    const prepared = this.#prepare(call, "poll");
    if (prepared.kind === "rejected") return prepared;
    const answer = await this.#transport.unary(prepared.call, options);
    return answer.kind === "ok" ? valueOf(prepared.response, answer.bytes) : answer;
  }

  async *stream(
    call: Call,
    options: { signal: AbortSignal },
  ): AsyncGenerator<StreamEvent, StreamEnd, undefined> {
    const prepared = this.#prepare(call, "stream");
    if (prepared.kind === "rejected") return prepared;
    const events = this.#transport.stream(prepared.call, options);
    let failure: WireFailure | undefined;
    try {
      for (;;) {
        const { value: event, done } = await events.next();
        if (done) return failure = event;
        if (event.kind === "opened") {
          yield event;
          continue;
        }
        const { bytes, cameAtMs } = event;
        const read = () => Promise.resolve(valueOf(prepared.response, bytes));
        yield { kind: "message", cameAtMs, read };
      }
    } finally {
      // Whoever leaves early leaves the call too.
      if (failure === undefined) await events.return(GIVEN_UP).catch(() => {});
    }
  }

  #prepare(call: Call, use: MethodUse) {
    const found = findMethod(this.#root, call.method, use);
    if (!found.ok) return { kind: "rejected", reason: oneLine(found.why) } as const;
    const { service, name, request, response } = found.method;
    try {
      const body = request.encode(protojson.fromJson(request, call.params ?? {})).finish();
      return { kind: "call", call: { service, name, body }, response } as const;
    } catch (error) {
      return { kind: "rejected", reason: `params: ${messageOf(error)}` } as const;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

const GIVEN_UP: WireFailure = { kind: "unavailable", reason: "the stream was given up" };

/** The JSON form of an answer; a server that says it is not serving is unavailable. */
function valueOf(type: protobuf.Type, bytes: Uint8Array): Outcome {
  try {
    const value: unknown = protojson.toJson(type, type.decode(bytes));
    if (type.fullName !== HEALTH_RESPONSE) return valueOutcome(value);
    const { status = "UNKNOWN" } = value as { status?: unknown };
    if (status === "SERVING") return valueOutcome(value);
    return { kind: "unavailable", reason: `health check says ${status}` };
  } catch (error) {
    const name = type.fullName.slice(1);
    return { kind: "unavailable", reason: `the answer is not a ${name}: ${messageOf(error)}` };
  }
}

function readPem(files: GrpcPem): GrpcPem {
  const { ca, cert, key } = files;
  if ((cert === undefined) !== (key === undefined)) {
    throw new RangeError(
      "Cannot create a backend as 'tls.cert' and 'tls.key' belong together: " +
        `'${cert === undefined ? "cert" : "key"}' is missing`,
    );
  }
  const texts: GrpcPem = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const file = files[name];
    if (file === undefined) continue;
    try {
      // To open a pipe would stand still until somebody writes into it, and everything with it.
      if (!Deno.statSync(file).isFile) throw new TypeError("it is no regular file");
      texts[name] = Deno.readTextFileSync(file);
    } catch (error) {
      throw new RangeError(
        `Cannot create a backend as 'tls.${name}' must be a readable PEM file: ${file}: ${
          error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error)
        }`,
      );
    }
  }
  if (!hasModernHttp2() && (ca ?? cert) !== undefined) {
    throw new RangeError(
      `Cannot create a backend with own certificates on Deno ${Deno.version.deno}: ` +
        "use a newer Deno, or none and let DENO_CERT name the authority",
    );
  }
  return texts;
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
