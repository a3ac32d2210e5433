import type { Config } from "../config/schema.ts";

/**
 * The configuration in force after a reload: of the new one what can change under the clients, of
 * the old one the rest, which thereby goes on being told as waiting for a restart.
 */
export function reloaded(before: Config, after: Config): Config {
  const { backends, sources, hooks, auth, origins, hosts, log } = after;
  const tls = before.tls && (after.tls ?? before.tls); // other files at most: on or off is a restart
  return {
    ...before,
    backends,
    sources,
    hooks,
    auth,
    origins,
    hosts,
    log: { ...before.log, level: log.level },
    ...(tls === undefined ? {} : { tls }),
  };
}
