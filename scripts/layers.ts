// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Checks the house plan: imports point only downward, rooms on one floor do not know each other,
 * no files import each other in a circle, and no type name means two things. Prints each breach and
 * exits 1.
 */
import { breachesOf, type Floors, readImports } from "./layers/graph.ts";
import { sharedTypeNames } from "./layers/type_names.ts";

/** For each room, the rooms it may import from (itself is always allowed). */
const GROUND = ["protocol", "resilience", "telemetry"];
const FLOORS: Floors = {
  std_types: [],
  protocol: [],
  resilience: ["std_types"],
  telemetry: ["protocol"],
  platform: ["telemetry"],
  rpc: [...GROUND, "std_types"],
  values: [...GROUND],
  state: [...GROUND],
  incidents: [...GROUND, "std_types", "rpc"],
  selection: ["protocol"],
  feed: [...GROUND, "std_types", "rpc", "values", "selection"],
  hub: [...GROUND, "values"],
  config: ["protocol", "std_types", "selection"],
  client: ["protocol", "resilience"],
  page: ["protocol", "client"],
  demo: [...GROUND, "std_types", "rpc"],
  server: [
    ...GROUND,
    "std_types",
    "platform",
    "rpc",
    "values",
    "state",
    "incidents",
    "feed",
    "hub",
    "config",
    "page",
    "cluster",
  ],
  cluster: [...GROUND, "std_types", "values", "hub"],
  workers: [
    ...GROUND,
    "std_types",
    "values",
    "hub",
    "config",
    "server",
  ],
  service: [...GROUND, "platform", "config", "server", "cluster"],
  cli: [
    ...GROUND,
    "std_types",
    "platform",
    "config",
    "rpc",
    "client",
    "page",
    "demo",
    "state",
    "incidents",
    "server",
    "cluster",
    "workers",
    "service",
  ],
};

/**
 * For each room with rooms inside, what each of these may import from; "." stands for the files that
 * lie in the room itself, which may import from all of them. Where "." is not listed those files are
 * the upper floor: they put together what the inner rooms make.
 */
const INSIDE: Record<string, Floors> = {
  cli: { bench: ["."], probe: ["."], publish: ["."], watch: ["."] },
  cluster: { nats: ["."] },
  config: { text: ["."] },
  hub: { delivery: ["resume"], resume: [] },
  incidents: { hooks: ["."] },
  page: {
    values: ["."],
    charts: [".", "values"],
    hub: [".", "charts"],
    reports: [".", "hub", "values"],
    sources: [".", "hub", "charts", "values"],
  },
  rpc: {
    stream: [],
    host: ["."],
    http: ["."],
    sse: [".", "http", "stream"],
    grpc: [".", "stream"],
    "grpc/process": [".", "stream", "grpc"],
  },
  server: {
    door: [],
    keeping: [],
    sockets: ["door"],
    reports: ["door", "sockets"],
    http: ["door", "sockets", "reports"],
  },
};

const src = new URL("../src/", import.meta.url);
const imports = await readImports(src);
const breaches = [...breachesOf(imports, FLOORS, INSIDE), ...await sharedTypeNames(src)];
for (const breach of breaches) console.error(breach);
console.log(
  breaches.length === 0
    ? `layers: ${imports.size} files, all arrows point downward`
    : `layers: ${breaches.length} breaches`,
);
Deno.exit(breaches.length === 0 ? 0 : 1);
