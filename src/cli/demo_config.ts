import { checkConfigValue, type Override, type ParsedConfig } from "../config/parse.ts";
import type { Io } from "./io.ts";

/** As on the command line, unchecked. */
export interface DemoFlags {
  listen?: string;
  logLevel?: string;
  logFormat?: string;
}

/** Paces that people can watch: quick to notice an outage and to get over it. */
const DEMO_BACKEND = {
  transport: "json-rpc",
  timeout: "2s",
  retry: { attempts: 1 },
  breaker: { failures: 3, open_for: "5s", max_open_for: "15s" },
  health_check: { method: "GetSystemStatus", every: "2s", timeout: "1s" },
};

const DEMO_SOURCES = [
  { channel: "system_status", method: "GetSystemStatus", every: "2s" },
  { channel: "storage_update", method: "GetStorage", every: "2s" },
  { channel: "agent_status", method: "GetAgents", every: "1s" },
  { channel: "compression_update", method: "GetCompressionJobs", every: "1s" },
].map((source) => ({ ...source, backend: "demo", stale_after: "5s" }));

/** The configuration that `holdfast demo` runs on, with the demo backend at `backendUrl`. */
export function demoConfig(backendUrl: string, flags: DemoFlags, env: Io["env"]): ParsedConfig {
  const token = env.HOLDFAST_TOKEN;
  const value = {
    listen: "127.0.0.1:8787",
    backends: { demo: { ...DEMO_BACKEND, url: `${backendUrl}/rpc` } },
    sources: DEMO_SOURCES,
    hub: { heartbeat_every: "5s" },
    log: { level: "warning", format: "pretty" },
    ...(token ? { auth: { tokens: [{ name: "env", token: "${HOLDFAST_TOKEN}" }] } } : {}),
  };
  const overrides = [
    override(["listen"], ["--listen", flags.listen], env, "HOLDFAST_LISTEN"),
    override(["log", "level"], ["--log-level", flags.logLevel], env, "HOLDFAST_LOG_LEVEL"),
    override(["log", "format"], ["--log-format", flags.logFormat], env, "HOLDFAST_LOG_FORMAT"),
  ].flat();
  return checkConfigValue(value, { env, name: "the demo", overrides });
}

function override(
  path: readonly string[],
  [flag, given]: readonly [string, string | undefined],
  env: Io["env"],
  variable: string,
): Override[] {
  if (given !== undefined) return [{ path, value: given, from: flag }];
  const value = env[variable];
  return value ? [{ path, value, from: variable }] : [];
}
