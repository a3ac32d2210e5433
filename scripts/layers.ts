// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Checks the house plan: imports point only downward, rooms on one floor do not know each other,
 * and no files import each other in a circle. Prints each breach and exits 1.
 */
import { breachesOf, readImports } from "./layers/graph.ts";

/** For each room, the rooms it may import from (itself is always allowed). */
const GROUND = ["protocol", "resilience", "telemetry"];
const FLOORS: Record<string, readonly string[]> = {
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
    "service",
  ],
};

const imports = await readImports(new URL("../src/", import.meta.url));
const breaches = breachesOf(imports, FLOORS);
for (const breach of breaches) console.error(breach);
console.log(
  breaches.length === 0
    ? `layers: ${imports.size} files, all arrows point downward`
    : `layers: ${breaches.length} breaches`,
);
Deno.exit(breaches.length === 0 ? 0 : 1);
