import {
  failure,
  type Method,
  type MethodAnswer,
  type MethodOptions,
  RPC_CODE,
  value,
} from "./answer.ts";
import type { CompressionService } from "./compression_service.ts";

/** This machine's own figures, from whoever can read them. */
export interface HostFigures {
  systemStatus(options: MethodOptions): Promise<MethodAnswer>;
  storage(options: MethodOptions): Promise<MethodAnswer>;
}

/** Methods that tell something, one for each status channel. */
export const STATUS_METHODS = [
  "GetSystemStatus",
  "GetStorage",
  "GetAgents",
  "GetCompressionJobs",
] as const;

/** The methods of the demo backend that a hub polls. They take no params. */
export function statusMethods(
  service: Pick<CompressionService, "agents" | "jobs">,
  host: HostFigures,
): ReadonlyMap<string, Method> {
  const answers: Record<typeof STATUS_METHODS[number], Method> = {
    GetSystemStatus: (_params, options) => host.systemStatus(options),
    GetStorage: (_params, options) => host.storage(options),
    GetAgents: () => value(service.agents()),
    GetCompressionJobs: () => value(service.jobs()),
  };
  return new Map(
    STATUS_METHODS.map((name): [string, Method] => [name, withoutParams(name, answers[name])]),
  );
}

function withoutParams(name: string, method: Method): Method {
  return (params, options) => {
    const [first] = Object.keys(params ?? {});
    if (first === undefined) return method(params, options);
    const found = Array.isArray(params) ? "a list of them" : JSON.stringify(first.slice(0, 40));
    const message = `Invalid params: ${name} takes none, and was given ${found}`;
    return failure(RPC_CODE.invalidParams, message);
  };
}
