import type { BackendConfig } from "../config/schema.ts";
import { openLibc } from "../platform/libc.ts";
import type { Backend } from "../rpc/backend.ts";
import { createBackend } from "../rpc/create_backend.ts";
import type { ProxyEnvironment } from "../rpc/http/proxy.ts";
import { openGrpc } from "./grpc_backend.ts";

/** Opens the client of a configured backend, where the environment names no proxies. */
export function openBackend(config: BackendConfig): Backend {
  return openBackendWith({}, config);
}

/** Opens the client of a configured backend. */
export function openBackendWith(
  proxyEnvironment: ProxyEnvironment,
  config: BackendConfig,
): Backend {
  switch (config.transport) {
    case "json-rpc": {
      const { batch, max_in_flight: maxInFlight } = config;
      const options = httpOptions(config, proxyEnvironment);
      return createBackend({ ...options, transport: "json-rpc", batch, maxInFlight });
    }
    case "http-json": {
      const { redirects } = config;
      const options = httpOptions(config, proxyEnvironment);
      return createBackend({ ...options, transport: "http-json", redirects });
    }
    case "sse":
      return createBackend({ ...httpOptions(config, proxyEnvironment), transport: "sse" });
    case "host":
      return openHost();
    case "grpc":
      return openGrpc(config);
  }
}

type HttpConfig = Extract<BackendConfig, { transport: "json-rpc" | "http-json" | "sse" }>;

function httpOptions(config: HttpConfig, proxyEnvironment: ProxyEnvironment) {
  const { url, headers, proxy, max_response_bytes: maxResponseBytes } = config;
  return { url, headers, proxy, proxyEnvironment, maxResponseBytes };
}

/** The host backend, with another way to `/proc` where Deno's own is barred. */
function openHost(): Backend {
  const libc = openLibc();
  if ("unavailable" in libc) return createBackend({ transport: "host" });
  const backend = createBackend({
    transport: "host",
    readText: async (path) => {
      try {
        return await Deno.readTextFile(path);
      } catch (error) {
        const text = libc.readProc(path);
        if (text === undefined) throw error;
        return text;
      }
    },
  });
  return {
    call: (call, options) => backend.call(call, options),
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      libc[Symbol.dispose]();
    },
  };
}
