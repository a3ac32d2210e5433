import type { Backend } from "./backend.ts";
import { createHostBackend, type HostOptions } from "./host/host_backend.ts";
import { createHttpJsonBackend, type HttpJsonOptions } from "./http/http_json.ts";
import { createJsonRpcBackend, type JsonRpcOptions } from "./http/json_rpc.ts";
import { createSseBackend, type SseOptions } from "./sse/sse_backend.ts";

/**
 * The transports that cost next to nothing to load, each with its options; gRPC, which costs more
 * than all the rest, is made by `createGrpcBackend`. A new one is a member here and a case below.
 */
export type BackendOptions =
  | ({ transport: "json-rpc" } & JsonRpcOptions)
  | ({ transport: "http-json" } & HttpJsonOptions)
  | ({ transport: "sse" } & SseOptions)
  | ({ transport: "host" } & HostOptions);

/**
 * Makes a backend of any of these transports. It asks once per call: deadlines and retries are its caller's.
 *
 * @example
 * ```ts
 * await using core = createBackend({ transport: "json-rpc", url, maxResponseBytes: 8_388_608 });
 * const outcome = await core.call({ method: "GetSystemStatus" }, { signal });
 * ```
 *
 * @throws {RangeError} If an option is out of range or the transport is unknown.
 */
export function createBackend(options: BackendOptions): Backend {
  switch (options.transport) {
    case "json-rpc":
      return createJsonRpcBackend(options);
    case "http-json":
      return createHttpJsonBackend(options);
    case "sse":
      return createSseBackend(options);
    case "host":
      return createHostBackend(options);
    default:
      throw unknownTransport(options);
  }
}

function unknownTransport(options: never): RangeError {
  const { transport } = options as { transport: unknown };
  return new RangeError(
    `Cannot create a backend as 'transport' must be json-rpc, http-json, sse or host: current value is ${transport}`,
  );
}
