import type { BackendConfig, Config, SourceConfig } from "../config/schema.ts";
import type { BackendPlan } from "../feed/guarded_backend.ts";
import type { FeedPlan } from "../feed/feed.ts";
import type { SelectedChannel } from "../feed/source_outcomes.ts";
import type { SourcePlan } from "../feed/source_poller.ts";
import type { Backend } from "../rpc/backend.ts";
import { maskedBackend, secretsIn } from "../rpc/masked_backend.ts";

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
    sources: pollsOf(config.sources).map((fed) => {
      const backend = config.backends[fed[0].backend];
      return sourcePlan(fed, { isBatched: backend !== undefined && isBatch(backend) });
    }),
  };
}

function backendPlan(name: string, config: BackendConfig, open: OpenBackend): BackendPlan {
  const { timeout, retry, breaker, health_check, max_in_flight } = config;
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
    // Sources of a batch wait for each other in the request, and requests are bounded there.
    maxInFlight: isBatch(config) ? MAX_BATCHED : max_in_flight,
    healthCheck: {
      ...(health_check.method === undefined
        ? {}
        : { call: { method: health_check.method, params: {} } }),
      everyMs: health_check.every,
      timeoutMs: health_check.timeout,
    },
    open: () => maskedBackend(open(config, name), secretsOf(config)),
  };
}

/** What a backend is sent that none of its errors may show. */
function secretsOf(config: BackendConfig): string[] {
  if (config.transport === "host") return [];
  const { url, headers } = config;
  const proxy = "proxy" in config ? [config.proxy] : [];
  return secretsIn(headers, [url, ...proxy]);
}

/** Polls of a batch backend that may be on their way together: more than there are sources. */
const MAX_BATCHED = 10_000;

function isBatch(config: BackendConfig): boolean {
  return config.transport === "json-rpc" && config.batch;
}

/** The channels of one poll, at least one. */
type FedTogether = readonly [SourceConfig, ...SourceConfig[]];

/** The polls to be made: channels of one source share one. */
function pollsOf(sources: readonly SourceConfig[]): FedTogether[] {
  const polls = new Map<string, [SourceConfig, ...SourceConfig[]]>();
  for (const source of sources) {
    const name = source.shares_poll_of ?? source.channel;
    const poll = polls.get(name);
    if (poll === undefined) polls.set(name, [source]);
    else poll.push(source);
  }
  return [...polls.values()];
}

function sourcePlan(fed: FedTogether, { isBatched }: { isBatched: boolean }): SourcePlan {
  const [{ channel, backend, method, params, every, http_method, headers, stream }] = fed;
  const selectsParts = fed.some(({ select }) => select !== undefined);
  return {
    channel,
    ...(selectsParts ? { channels: fed.map(selectedChannel) } : {}),
    backend,
    call: {
      method,
      params,
      ...(http_method === undefined ? {} : { httpMethod: http_method }),
      ...(headers === undefined ? {} : { headers }),
      ...(stream ? { stream } : {}),
    },
    everyMs: every,
    // What is to share a request has to be due at one time.
    ...(isBatched ? { inStep: true } : { phaseMs: phaseOf(channel) * every }),
  };
}

function selectedChannel({ channel, select }: SourceConfig): SelectedChannel {
  return { channel, ...(select === undefined ? {} : { select }) };
}

/**
 * Where in its period a source is polled: a part of 1, above 0, made of its channel's name (FNV-1a,
 * its bits mixed once more). So sources of one pace do not ask in step, and each asks at the same
 * place again after a restart or a reload.
 */
function phaseOf(channel: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < channel.length; i++) {
    hash = Math.imul(hash ^ channel.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 1) / 2 ** 32;
}
