import type { Config } from "../../config/schema.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { ProxyEnvironment } from "../../rpc/http/proxy.ts";
import { Authenticator } from "./authenticator.ts";
import { machineName } from "./host.ts";

/** Who may come in, and how they are known; may change while the hub runs. */
export interface Policy {
  readonly authenticator: Authenticator;
  readonly origins: readonly string[];
  /** Host names it answers to while there is no auth. */
  readonly hosts: readonly string[];
  /** The machine's own name; undefined where it is not known. */
  readonly machine: string | undefined;
  readonly trustProxy: boolean;
}

/**
 * The policy of a configuration.
 *
 * @param before The policy until now: keys that were fetched are kept.
 */
export function policyOf(
  { auth, origins, hosts, trust_proxy }: Pick<Config, "auth" | "origins" | "hosts" | "trust_proxy">,
  { clock, proxyEnvironment }: { clock: Clock; proxyEnvironment?: ProxyEnvironment },
  before?: Policy,
): Policy {
  const authenticator = new Authenticator(auth, {
    clock,
    proxyEnvironment,
    ...(before ? { before: before.authenticator } : {}),
  });
  return { authenticator, origins, hosts, machine: machineName(), trustProxy: trust_proxy };
}
