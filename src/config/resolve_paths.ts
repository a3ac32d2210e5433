import { isAbsolute, join } from "node:path";
import type { BackendConfig, ClusterConfig, Config } from "./schema.ts";

/**
 * Takes relative file paths of a configuration as relative to the file they stand in, so that a
 * service finds its certificates whatever directory it was started in.
 */
export function resolvePaths(config: Config, directory: string): Config {
  const at = (path: string) => isAbsolute(path) ? path : join(directory, path);
  const { tls, backends, cluster, state, ...rest } = config;
  return {
    ...rest,
    state: { ...state, ...(state.dir === undefined ? {} : { dir: at(state.dir) }) },
    backends: Object.fromEntries(
      Object.entries(backends).map(([name, backend]) => [name, resolveBackend(backend, at)]),
    ),
    ...(tls === undefined ? {} : { tls: { cert: at(tls.cert), key: at(tls.key) } }),
    ...(cluster === undefined ? {} : { cluster: resolveCluster(cluster, at) }),
  };
}

function resolveCluster(cluster: ClusterConfig, at: (path: string) => string): ClusterConfig {
  const { ca, cert, key, credentials } = cluster;
  return {
    ...cluster,
    ...(ca === undefined ? {} : { ca: at(ca) }),
    ...(cert === undefined ? {} : { cert: at(cert) }),
    ...(key === undefined ? {} : { key: at(key) }),
    ...(credentials === undefined ? {} : { credentials: at(credentials) }),
  };
}

function resolveBackend(backend: BackendConfig, at: (path: string) => string): BackendConfig {
  if (backend.transport !== "grpc") return backend;
  const { proto, tls, ...rest } = backend;
  return {
    ...rest,
    ...(proto === undefined ? {} : { proto: at(proto) }),
    ...(tls === undefined ? {} : {
      tls: {
        ...(tls.ca === undefined ? {} : { ca: at(tls.ca) }),
        ...(tls.cert === undefined ? {} : { cert: at(tls.cert) }),
        ...(tls.key === undefined ? {} : { key: at(tls.key) }),
      },
    }),
  };
}
