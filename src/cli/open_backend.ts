import type { BackendConfig } from "../config/schema.ts";
import { openLibc } from "../platform/libc.ts";
import type { Backend } from "../rpc/backend.ts";
import { createBackend } from "../rpc/create_backend.ts";
import { openGrpc } from "./grpc_backend.ts";

/** Opens the client of a configured backend. */
export function openBackend(config: BackendConfig): Backend {
  switch (config.transport) {
    case "json-rpc":
    case "http-json": {
      const { transport, url, headers, max_response_bytes: maxResponseBytes } = config;
      return createBackend({ transport, url, headers, maxResponseBytes });
    }
    case "host":
      return openHost();
    case "grpc":
      return openGrpc(config);
  }
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
