import type { BackendConfig, Config, SourceConfig } from "../config/schema.ts";
import type { BackendPlan } from "../feed/guarded_backend.ts";
import type { FeedPlan } from "../feed/feed.ts";
import type { SourcePlan } from "../feed/source_poller.ts";
import type { Backend } from "../rpc/backend.ts";

/** Opens a backend's client. */
export type OpenBackend = (config: BackendConfig, name: string) => Backend;

/** What the feed has to do to fulfil a configuration. */
export function feedPlan(
  config: Pick<Config, "backends" | "sources">,
  open: OpenBackend,
): FeedPlan {
  return {
    backends: Object.entries(config.backends)
      .map(([name, backend]) => backendPlan(name, backend, open)),
    sources: config.sources.map(sourcePlan),
  };
}

function backendPlan(name: string, config: BackendConfig, open: OpenBackend): BackendPlan {
  const { timeout, retry, breaker, health_check } = config;
  return {
    name,
    identity: JSON.stringify(config),
    timeoutMs: timeout,
    retry: { attempts: retry.attempts, minMs: retry.min, maxMs: retry.max },
    breaker: {
      failures: breaker.failures,
      openForMs: breaker.open_for,
      maxOpenForMs: breaker.max_open_for,
    },
    healthCheck: {
      call: { method: health_check.method, params: {} },
      everyMs: health_check.every,
      timeoutMs: health_check.timeout,
    },
    open: () => open(config, name),
  };
}

function sourcePlan(
  { channel, backend, method, params, every, stale_after }: SourceConfig,
): SourcePlan {
  return { channel, backend, call: { method, params }, everyMs: every, staleAfterMs: stale_after };
}
