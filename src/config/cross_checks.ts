/**
 * What one field cannot know: names that must exist elsewhere, or only once. These checks read the
 * raw tree, not the schema's result, so that they speak up beside the schema's own problems.
 */
import { CHANNEL_GRAMMAR, isStatusChannel } from "../protocol/channel.ts";
import { describeFound, type Origins, type Problem, problemAt } from "./problems.ts";
import { BACKEND_NAME, GRPC_HEALTH_METHOD, HOST_METHODS } from "./schema_backends.ts";
import { oneOf } from "./suggest.ts";
import { asList, asObject, asString, type Path, pathText, type Tree } from "./tree.ts";

/** Problems that show only when the parts of a configuration are seen together. */
export function crossCheck(tree: Tree, origins: Origins): Problem[] {
  const top = asObject(tree);
  if (top === undefined) return [];
  const backends = asObject(top["backends"]) ?? {};
  const sources = asList(top["sources"]).map((each) => asObject(each) ?? {});
  const tokens = asList(asObject(top["auth"])?.["tokens"]).map((each) => asObject(each) ?? {});
  const hooks = asList(top["hooks"]).map((each) => asObject(each) ?? {});
  const channels = Object.keys(asObject(top["channels"]) ?? {});
  return [
    ...Object.entries(backends).flatMap(([name, each]) => checkBackend(name, each, origins)),
    ...sources.flatMap((source, index) => checkSource(source, index, { backends, origins })),
    ...sharedChannels(sources, origins),
    ...channels.flatMap((channel) => checkPublished(channel, { sources, origins })),
    ...duplicates(hooks, { list: ["hooks"], key: "name", what: "hooks", origins }),
    ...duplicates(tokens, { list: ["auth", "tokens"], key: "name", what: "tokens", origins }),
    ...duplicates(tokens, { list: ["auth", "tokens"], key: "token", what: "tokens", origins }),
  ];
}

function checkBackend(name: string, backend: Tree, origins: Origins): Problem[] {
  const path = ["backends", name];
  const problems: Problem[] = [];
  if (!BACKEND_NAME.test(name)) {
    problems.push(problemAt(path, origins, {
      found: "a name that is not allowed",
      expected: "a lower-case letter, then up to 63 lower-case letters, digits, - or _",
      isKey: true,
    }));
  }
  const method = asObject(asObject(backend)?.["health_check"])?.["method"];
  const at = [...path, "health_check", "method"];
  return [...problems, ...checkMethod(asObject(backend), method, { path: at, name, origins })];
}

/** A channel to be published on: a name that may be one, and no source's. */
function checkPublished(
  channel: string,
  { sources, origins }: { sources: readonly { [key: string]: Tree }[]; origins: Origins },
): Problem[] {
  const path = ["channels", channel];
  if (!isStatusChannel(channel)) {
    return [problemAt(path, origins, {
      found: "a name that is not allowed",
      expected: `a channel name (${CHANNEL_GRAMMAR}) that is not one of the hub's own`,
    })];
  }
  const index = sources.findIndex((source) =>
    asString(source["channel"]) === channel ||
    Object.hasOwn(asObject(source["channels"]) ?? {}, channel)
  );
  if (index < 0) return [];
  return [problemAt(path, origins, {
    found: `a channel that sources[${index}] feeds`,
    expected: 'a channel of its own: "channels" are those that are published on',
  })];
}

interface SourceContext {
  backends: { [key: string]: Tree };
  origins: Origins;
}

function checkSource(
  source: { [key: string]: Tree },
  index: number,
  { backends, origins }: SourceContext,
): Problem[] {
  const name = asString(source["backend"]);
  if (name === undefined || name === "") return []; // the schema says so
  if (!Object.hasOwn(backends, name)) {
    const path = ["sources", index, "backend"];
    const known = Object.keys(backends);
    return [problemAt(path, origins, {
      found: `${describeFound(name, path, origins)}, which is no backend`,
      expected: known.length === 0 ? `a name in "backends", which is empty` : oneOf(known, name),
    })];
  }
  const path = ["sources", index, "method"];
  const backend = asObject(backends[name]);
  return [
    ...checkMethod(backend, source["method"], { path, name, origins }),
    ...checkForTransport(source, index, { backend, origins }),
  ];
}

/** What a source may have only with some transports. */
const FOR_TRANSPORTS: Record<string, readonly string[]> = {
  http_method: ["http-json"],
  headers: ["http-json", "json-rpc", "sse"],
  stream: ["grpc", "sse"],
};

function checkForTransport(
  source: { [key: string]: Tree },
  index: number,
  { backend, origins }: { backend: { [key: string]: Tree } | undefined; origins: Origins },
): Problem[] {
  const transport = asString(backend?.["transport"]);
  if (transport === undefined) return [];
  if (transport === "sse" && source["stream"] !== true) {
    return [problemAt(["sources", index, "stream"], origins, {
      found: source["stream"] === undefined ? "nothing (it is missing)" : "another value",
      expected: `true: a backend of transport "sse" gives nothing but streams`,
    })];
  }
  return Object.entries(FOR_TRANSPORTS).flatMap(([key, transports]) => {
    if (source[key] === undefined || source[key] === false || transports.includes(transport)) {
      return [];
    }
    return [problemAt(["sources", index, key], origins, {
      found: `a backend of transport "${transport}"`,
      expected: `one of transport ${transports.join(" or ")}`,
    })];
  });
}

interface MethodContext {
  path: Path;
  /** Name of the backend. */
  name: string;
  origins: Origins;
}

/** Whether a backend can have this method, as far as its transport tells. */
function checkMethod(
  backend: { [key: string]: Tree } | undefined,
  value: Tree | undefined,
  { path, name, origins }: MethodContext,
): Problem[] {
  const method = asString(value);
  if (backend === undefined || method === undefined || method === "") return [];
  const found = describeFound(method, path, origins);
  if (backend["transport"] === "host") {
    const known: readonly string[] = HOST_METHODS;
    if (known.includes(method)) return [];
    return [problemAt(path, origins, { found, expected: oneOf(known, method) })];
  }
  if (backend["transport"] !== "grpc" || method === GRPC_HEALTH_METHOD) return [];
  if (!/^[A-Za-z_][\w.]*\/[A-Za-z_]\w*$/.test(method)) {
    return [problemAt(path, origins, { found, expected: `"package.Service/Method"` })];
  }
  if (backend["proto"] !== undefined) return [];
  return [problemAt(["backends", name, "proto"], origins, {
    found: "nothing (it is missing)",
    expected: `a path of the .proto file that describes ${found}`,
  })];
}

/** Channels that more than one source feeds, by `channel` or by `channels`. */
function sharedChannels(sources: readonly { [key: string]: Tree }[], origins: Origins): Problem[] {
  const first = new Map<string, Path>();
  return sources.flatMap((source, index) => {
    const channel = asString(source["channel"]);
    const fed: [name: string, path: Path][] = [
      ...(channel ? [[channel, ["sources", index, "channel"]] as [string, Path]] : []),
      ...Object.keys(asObject(source["channels"]) ?? {})
        .map((name): [string, Path] => [name, ["sources", index, "channels", name]]),
    ];
    return fed.flatMap(([name, path]) => {
      const before = first.get(name);
      if (before === undefined) {
        first.set(name, path);
        return [];
      }
      return [problemAt(path, origins, {
        found: `${describeFound(name, path, origins)}, as in ${pathText(before.slice(0, 2))}`,
        expected: "a channel of its own: no two sources may share one",
      })];
    });
  });
}

interface DuplicateContext {
  list: Path;
  key: string;
  /** What the list is a list of. */
  what: string;
  origins: Origins;
}

function duplicates(
  entries: readonly { [key: string]: Tree }[],
  { list, key, what, origins }: DuplicateContext,
): Problem[] {
  const first = new Map<string, number>();
  return entries.flatMap((entry, index) => {
    const value = asString(entry[key]);
    if (value === undefined || value === "") return [];
    const before = first.get(value);
    if (before === undefined) {
      first.set(value, index);
      return [];
    }
    const path = [...list, index, key];
    const shown = describeFound(value, path, origins);
    return [problemAt(path, origins, {
      found: `${shown}, as in ${list.join(".")}[${before}]`,
      expected: `a ${key} of its own: no two ${what} may share one`,
    })];
  });
}
