import type { BackendConfig } from "../config/schema.ts";
import type { Backend } from "../rpc/backend.ts";
import type { GrpcOptions } from "../rpc/grpc/grpc_backend.ts";

type GrpcConfig = Extract<BackendConfig, { transport: "grpc" }>;

/** A configured gRPC backend as the transport wants it. */
export function grpcOptions(config: GrpcConfig): GrpcOptions {
  const { url, headers, max_response_bytes: maxResponseBytes, proto, tls } = config;
  return {
    url,
    headers,
    maxResponseBytes,
    ...(proto === undefined ? {} : { protoFile: proto }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** A gRPC backend whose code is loaded by its first call: most hubs never need it. */
export function openGrpc(config: GrpcConfig): Backend {
  let opened: Promise<Backend> | undefined;
  let isClosed = false;
  const open = async () => {
    const { createGrpcBackend } = await import("../rpc/grpc/grpc_backend.ts");
    return createGrpcBackend(grpcOptions(config));
  };
  return {
    async call(call, options) {
      if (isClosed) return { kind: "unavailable", reason: "the backend was closed" };
      const backend = await (opened ??= open());
      return await backend.call(call, options);
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await (await opened)?.[Symbol.asyncDispose]();
    },
  };
}
