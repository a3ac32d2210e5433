import { checkFiles } from "../config/files.ts";
import {
  type FileTree,
  loadConfig,
  loadConfigFile,
  type LoadedConfig,
  type LoadOptions,
} from "../config/load.ts";
import { bounded } from "../config/parse.ts";
import { type Origins, type Problem, problemAt, sortedByPlace } from "../config/problems.ts";
import { resolveBackend } from "../config/resolve_paths.ts";
import { type BackendConfig, SETTINGS, type SourceConfig, sourceSchema } from "../config/schema.ts";
import { backendSchema } from "../config/schema_backends.ts";
import { shownPath } from "../config/secrecy.ts";
import { asList, asObject, type Path } from "../config/tree.ts";
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
  const { tree, origins, directory } = loaded;
  if (tree === undefined || origins === undefined || directory === undefined) return loaded;
  const file: FileTree = { tree, origins, directory };
  const told = new Set(loaded.ok ? [] : loaded.problems.map(({ path }) => path));
  const files = (await checkFiles(file)).filter(({ path }) => !told.has(path));
  const problems = sortedByPlace([
    ...loaded.ok ? [] : loaded.problems,
    ...files,
    ...await grpcProblems(file, files),
  ]);
  return problems.length === 0
    ? loaded
    : { ok: false, problems: bounded(problems, origins.name), tree, origins, directory };
}

/**
 * What is wrong between gRPC backends and their `.proto` files, where the rest of a backend and a
 * source is in order.
 */
async function grpcProblems(
  file: FileTree,
  told: readonly Problem[],
): Promise<Problem[]> {
  const top = asObject(file.tree) ?? {};
  // Of several channels of one poll the first stands for all.
  const sources = asList(top["sources"]).map((each) => sourceSchema.safeParse(each).data?.[0]);
  const problems: Problem[] = [];
  for (const [name, each] of Object.entries(asObject(top["backends"]) ?? {})) {
    const backend = backendSchema.safeParse(each).data;
    if (backend?.transport !== "grpc") continue;
    const path = shownPath(["backends", name], SETTINGS);
    if (told.some((problem) => problem.path?.startsWith(`${path}.`))) continue;
    const resolved = resolveBackend(name, backend, file.directory);
    problems.push(...await problemsOf(name, resolved, { sources, origins: file.origins }));
  }
  return problems;
}

async function problemsOf(
  name: string,
  backend: Extract<BackendConfig, { transport: "grpc" }>,
  { sources, origins }: { sources: readonly (SourceConfig | undefined)[]; origins: Origins },
): Promise<Problem[]> {
  // Loaded only where it is needed: it is most of what there is to load.
  const [{ checkGrpcCalls }, { createGrpcBackend }] = await Promise.all([
    import("../rpc/grpc/check.ts"),
    import("../rpc/grpc/grpc_backend.ts"),
  ]);
  const calls: { path: Path; call: Call }[] = sources.flatMap((source, index) =>
    source?.backend === name
      ? [{
        path: ["sources", index],
        call: { method: source.method, params: source.params, stream: source.stream },
      }]
      : []
  );
  const { method } = backend.health_check;
  if (method !== undefined) {
    calls.push({ path: ["backends", name, "health_check"], call: { method } });
  }
  const problems = checkGrpcCalls(backend.proto, calls.map(({ call }) => call))
    .map(({ index, at, path: inside, why }): Problem => {
      const call = index === undefined ? ["backends", name] : calls[index]?.path ?? [];
      const found = `something that cannot be used (${why})`;
      return problemAt([...call, at, ...stepsOf(inside)], origins, { found, expected: WANTED[at] });
    });
  if (problems.length > 0) return problems;
  try {
    await createGrpcBackend({ ...grpcOptions(backend), openTransport })[Symbol.asyncDispose]();
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const found = `something that cannot be used (${why})`;
    const expected = "files and a URL that can be used";
    return [problemAt(["backends", name], origins, { found, expected })];
  }
}

/** Carries nothing: a check asks nobody. */
function openTransport(): GrpcTransport {
  const none = () => {
    throw new TypeError("a check calls nobody");
  };
  return { unary: none, stream: none, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** The steps of a path inside parameters, such as `filter.states[2]`. */
function stepsOf(path: string): Path {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)]
    .map(([, index, key = ""]) => index === undefined ? key : Number(index));
}

const WANTED = {
  proto: "the path of a .proto file that can be read and parsed",
  method:
    `a method of the .proto file, package.Service/Method; with "stream": true one that streams`,
  params: "the fields of the method's request, in protobuf's JSON mapping",
} as const;
