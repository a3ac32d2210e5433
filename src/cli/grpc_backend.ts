import type { BackendConfig } from "../config/schema.ts";
import { systemClock } from "../resilience/clock.ts";
import type { StreamingBackend } from "../rpc/backend.ts";
import type { GrpcOptions } from "../rpc/grpc/grpc_backend.ts";
import { grpcCommand } from "./grpc_process.ts";

type GrpcConfig = Extract<BackendConfig, { transport: "grpc" }>;

/** A configured gRPC backend, but for what carries its calls. */
export function grpcOptions(config: GrpcConfig): Omit<GrpcOptions, "openTransport"> {
  const { url, headers, max_response_bytes: maxResponseBytes, proto, tls } = config;
  return {
    url,
    headers,
    maxResponseBytes,
    ...(proto === undefined ? {} : { protoFile: proto }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** A gRPC backend whose code is loaded only where there is one: most hubs never need it. */
export function openGrpc(config: GrpcConfig): StreamingBackend {
  let isClosed = false;
  const opening = open(config);
  opening.catch(() => {}); // every call says so
  return {
    async call(call, options) {
      if (isClosed) return { kind: "unavailable", reason: "the backend was closed" };
      return await (await opening).call(call, options);
    },
    async *stream(call, options) {
      if (isClosed) return { kind: "unavailable", reason: "the backend was closed" };
      return yield* (await opening).stream(call, options);
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await (await opening)[Symbol.asyncDispose]();
    },
  };
}

async function open(config: GrpcConfig): Promise<StreamingBackend> {
  const [{ createGrpcBackend }, { TransportProcess }] = await Promise.all([
    import("../rpc/grpc/grpc_backend.ts"),
    import("../rpc/grpc/process/transport_process.ts"),
  ]);
  return createGrpcBackend({
    ...grpcOptions(config),
    openTransport: (endpoint) =>
      new TransportProcess(endpoint, { command: grpcCommand(), clock: systemClock }),
  });
}
