import { loadConfig, loadConfigFile, type LoadedConfig, type LoadOptions } from "../config/load.ts";
import type { Problem } from "../config/problems.ts";
import type { BackendConfig, Config } from "../config/schema.ts";
import type { Call } from "../rpc/backend.ts";
import type { GrpcTransport } from "../rpc/grpc/transport.ts";
import { grpcOptions } from "./grpc_backend.ts";

/** {@linkcode loadConfig}, and what the schema cannot know. */
export async function loadAndCheck(options: LoadOptions): Promise<LoadedConfig> {
  return await checked(await loadConfig(options));
}

/** {@linkcode loadConfigFile}, and what the schema cannot know. */
export async function loadFileAndCheck(
  file: string,
  options: Parameters<typeof loadConfigFile>[1],
): Promise<LoadedConfig> {
  return await checked(await loadConfigFile(file, options));
}

async function checked(loaded: LoadedConfig): Promise<LoadedConfig> {
  if (!loaded.ok) return loaded;
  const { config, source } = loaded;
  const problems = [
    ...await clusterProblems(config, source),
    ...await grpcProblems(config, source),
  ];
  return problems.length === 0 ? loaded : { ok: false, problems };
}

/** Files without which NATS would never be reached, and what each has to hold. */
const NATS_FILES = {
  ca: { holds: "-----BEGIN CERTIFICATE-----", name: "a certificate" },
  cert: { holds: "-----BEGIN CERTIFICATE-----", name: "a certificate" },
  key: { holds: "PRIVATE KEY-----", name: "a private key" },
  credentials: { holds: "NKEY SEED-----", name: "a user's JWT and seed" },
} as const;

/** Whether the files that are to be shown to NATS are there. */
async function clusterProblems({ cluster }: Config, where: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const key of ["ca", "cert", "key", "credentials"] as const) {
    const file = cluster?.[key];
    if (file === undefined) continue;
    const { holds, name } = NATS_FILES[key];
    const path = `cluster.${key}`;
    const expected = `the path of a file that holds ${name}`;
    try {
      const text = await Deno.readTextFile(file);
      if (text.includes(holds)) continue;
      problems.push({ where, path, found: `a file without ${name}`, expected });
    } catch (error) {
      const why = error instanceof Error ? error.name : String(error);
      problems.push({ where, path, found: `a file that cannot be read (${why})`, expected });
    }
  }
  return problems;
}

/** What is wrong between gRPC backends and their `.proto` files. */
async function grpcProblems(config: Config, where: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [name, backend] of Object.entries(config.backends)) {
    if (backend.transport === "grpc") {
      problems.push(...await problemsOf(name, backend, { config, where }));
    }
  }
  return problems;
}

async function problemsOf(
  name: string,
  backend: Extract<BackendConfig, { transport: "grpc" }>,
  { config, where }: { config: Config; where: string },
): Promise<Problem[]> {
  // Loaded only where it is needed: it is most of what there is to load.
  const [{ checkGrpcCalls }, { createGrpcBackend }] = await Promise.all([
    import("../rpc/grpc/check.ts"),
    import("../rpc/grpc/grpc_backend.ts"),
  ]);
  // As the file has them: of several channels of one poll the first stands for all.
  const calls: { path: string; call: Call }[] = config.sources
    .filter(({ channel, shares_poll_of = channel }) => shares_poll_of === channel)
    .flatMap((source, index) =>
      source.backend === name
        ? [{ path: `sources[${index}]`, call: { method: source.method, params: source.params } }]
        : []
    );
  const { method } = backend.health_check;
  if (method !== undefined) {
    calls.push({ path: `backends.${name}.health_check`, call: { method } });
  }
  const problems = checkGrpcCalls(backend.proto, calls.map(({ call }) => call))
    .map(({ index, at, path: inside, why }): Problem => {
      const call = index === undefined ? `backends.${name}` : calls[index]?.path;
      const path = `${call}.${at}${inside === "" ? "" : `.${inside}`}`;
      return { where, path, found: `something that cannot be used (${why})`, expected: WANTED[at] };
    });
  if (problems.length > 0) return problems;
  try {
    await createGrpcBackend({ ...grpcOptions(backend), openTransport })[Symbol.asyncDispose]();
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const found = `something that cannot be used (${why})`;
    return [{
      where,
      path: `backends.${name}`,
      found,
      expected: "files and a URL that can be used",
    }];
  }
}

/** Carries nothing: a check asks nobody. */
function openTransport(): GrpcTransport {
  const none = () => {
    throw new TypeError("a check calls nobody");
  };
  return { unary: none, stream: none, [Symbol.asyncDispose]: () => Promise.resolve() };
}

const WANTED = {
  proto: "the path of a .proto file that can be read and parsed",
  method: "a unary method, package.Service/Method, of the .proto file",
  params: "the fields of the method's request, in protobuf's JSON mapping",
} as const;
