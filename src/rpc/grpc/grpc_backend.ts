import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";
import protojson from "protobufjs/ext/protojson";
import type protobuf from "protobufjs";
import {
  type Backend,
  type Call,
  type CallOptions,
  type Outcome,
  valueOutcome,
} from "../backend.ts";
import { endpointOf } from "../endpoint.ts";
import { GrpcChannel, type GrpcPem } from "./channel.ts";
import { findMethod, type GrpcMethod } from "./method.ts";
import { oneLine, outcomeOf } from "./outcome.ts";
import { loadProto } from "./proto.ts";
import { fromWire, toWire, type WireMethod, wireMethod } from "./wire.ts";

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

export class GrpcBackend implements Backend {
  readonly #root: protobuf.Root;
  readonly #channel: GrpcChannel;
  readonly #transport: Transport;
  readonly #headers: Headers;
  readonly #maxResponseBytes: number;
  /** At most one for each method of the `.proto` file. */
  readonly #wire = new Map<string, WireMethod>();

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
    this.#headers = headers;
    this.#maxResponseBytes = maxResponseBytes;
    this.#root = loadProto(protoFile);
    const pem = readPem(tls);
    this.#channel = new GrpcChannel(url, { tls: pem, keepaliveMs, keepaliveTimeoutMs });
    this.#transport = createGrpcTransport({
      baseUrl: url.origin + url.pathname,
      sessionManager: this.#channel,
      readMaxBytes: maxResponseBytes,
      // No compression: a small message may otherwise become a large one here.
      acceptCompression: [],
    });
  }

  async call(call: Call, options: CallOptions): Promise<Outcome> {
    const { signal, deadlineMs } = options;
    signal.throwIfAborted();
    if (deadlineMs !== undefined && deadlineMs <= 0) {
      return { kind: "unavailable", reason: "no time left for the call" };
    }
    const found = findMethod(this.#root, call.method);
    if (!found.ok) return { kind: "rejected", reason: oneLine(found.why) };
    const { request, response } = found.method;
    let body: Uint8Array;
    try {
      body = request.encode(protojson.fromJson(request, call.params ?? {})).finish();
    } catch (error) {
      return { kind: "rejected", reason: `params: ${messageOf(error)}` };
    }
    let answer: Uint8Array;
    try {
      const { message } = await this.#transport.unary(
        this.#wireOf(found.method),
        signal,
        // The wire counts in whole milliseconds, and 0 would be no deadline at all.
        deadlineMs === undefined ? undefined : Math.ceil(deadlineMs),
        this.#headers,
        toWire(body),
      );
      answer = fromWire(message);
    } catch (error) {
      signal.throwIfAborted();
      return this.#tooLarge(error) ?? outcomeOf(error);
    }
    return valueOf(response, answer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#channel[Symbol.dispose]();
    return Promise.resolve();
  }

  #wireOf({ service, name }: GrpcMethod): WireMethod {
    const path = `${service}/${name}`;
    const wire = this.#wire.get(path) ?? wireMethod(service, name);
    this.#wire.set(path, wire);
    return wire;
  }

  /** The library tells it apart from the server's own RESOURCE_EXHAUSTED by its words alone. */
  #tooLarge(error: unknown): Outcome | undefined {
    if (!/larger than configured readMaxBytes/.test(messageOf(error))) return undefined;
    const reason = `the answer is larger than ${this.#maxResponseBytes} bytes`;
    return { kind: "unavailable", reason };
  }
}

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
  const texts: GrpcPem = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const file = files[name];
    if (file === undefined) continue;
    try {
      texts[name] = Deno.readTextFileSync(file);
    } catch (error) {
      throw new RangeError(
        `Cannot create a backend as 'tls.${name}' must be a readable PEM file: ${file}: ${
          error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error)
        }`,
      );
    }
  }
  return texts;
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
