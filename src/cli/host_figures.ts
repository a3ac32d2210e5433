import { DEFAULT_NAME } from "../config/default.ts";
import { checkConfigValue } from "../config/parse.ts";
import { failure, type MethodAnswer, RPC_CODE, value } from "../demo/answer.ts";
import type { HostFigures } from "../demo/backend_methods.ts";
import type { Outcome } from "../rpc/backend.ts";
import { openBackend } from "./open_backend.ts";

/** This machine's figures for the demo backend, as the hub's own `host` backend reads them. */
export function hostFigures(): HostFigures & AsyncDisposable {
  const checked = checkConfigValue(
    { backends: { host: { transport: "host" } } },
    { env: {}, name: DEFAULT_NAME },
  );
  const config = checked.ok ? checked.config.backends.host : undefined;
  if (config === undefined) throw new TypeError("the host backend's own configuration is wrong");
  const backend = openBackend(config);
  const ask = async (method: string, options: { signal: AbortSignal }): Promise<MethodAnswer> =>
    answerOf(await backend.call({ method }, options));
  return {
    systemStatus: (options) => ask("GetSystemStatus", options),
    storage: (options) => ask("GetStorage", options),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

function answerOf(outcome: Outcome): MethodAnswer {
  if (outcome.kind === "ok") return value(JSON.parse(outcome.value));
  return failure(RPC_CODE.serverError, outcome.reason);
}
