/** Which file imports which, as paths relative to `src/`. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Static and dynamic imports, and re-exports, of relative paths. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+)"/g;
const TYPES_PRAGMA = /@ts-types="(\.{1,2}\/[^"]+)"/g;

/** Reads the relative imports of every TypeScript file below `root`. */
export async function readImports(root: URL): Promise<Imports> {
  const imports = new Map<string, string[]>();
  for await (const url of sourcesBelow(root)) {
    const text = await Deno.readTextFile(url);
    const targets = [...text.matchAll(IMPORT), ...text.matchAll(TYPES_PRAGMA)]
      .map(([, path = ""]) => new URL(path, url).href)
      .filter((href) => href.startsWith(root.href)) // what lies outside has no room
      .map((href) => href.slice(root.href.length));
    imports.set(url.href.slice(root.href.length), targets);
  }
  return imports;
}

/** Every TypeScript file below a folder. */
export async function* sourcesBelow(directory: URL): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(directory)) {
    if (entry.isDirectory) yield* sourcesBelow(new URL(`${entry.name}/`, directory));
    else if (/\.tsx?$/.test(entry.name)) yield new URL(entry.name, directory);
  }
}

/** For each room, the rooms that it may import from. */
export type Floors = Readonly<Record<string, readonly string[]>>;

/**
 * Every breach of `floors` (room -> rooms it may import) and every import cycle, in words.
 *
 * @param inside For a room with rooms inside, by path below it, which of its inner rooms each may
 * import from; "." stands for the files that lie in the room itself. Those may import them all.
 */
export function breachesOf(
  imports: Imports,
  floors: Floors,
  inside: Readonly<Record<string, Floors>> = {},
): string[] {
  const breaches: string[] = [];
  for (const [file, targets] of imports) {
    const room = roomOf(file);
    const allowed = floors[room];
    if (allowed === undefined) {
      breaches.push(`${file}: the room "${room}" is not on the house plan (scripts/layers.ts)`);
      continue;
    }
    for (const target of targets) {
      const other = roomOf(target);
      if (other !== room && !allowed.includes(other)) {
        breaches.push(`${file} imports ${target}: "${room}" may not know "${other}"`);
      }
      const breach = other === room && breachInside(file, target, inside[room] ?? {});
      if (breach) breaches.push(breach);
    }
  }
  const cycle = findCycle(imports);
  if (cycle) breaches.push(`import cycle: ${cycle.join(" -> ")}`);
  return breaches;
}

/** A breach of the order among the inner rooms of one room; `undefined` if there is none. */
function breachInside(file: string, target: string, floors: Floors): string | undefined {
  const from = innerRoomOf(file);
  const to = innerRoomOf(target);
  if (from === "." || from === to) return undefined;
  const allowed = floors[from];
  if (allowed === undefined) {
    return `${file}: the inner room "${from}" is not on the house plan (scripts/layers.ts)`;
  }
  if (allowed.includes(to)) return undefined;
  return `${file} imports ${target}: "${from}" may not know "${to}"`;
}

/** The folders between a file's room and the file; "." for a file that lies in the room itself. */
function innerRoomOf(file: string): string {
  return file.split("/").slice(1, -1).join("/") || ".";
}

function roomOf(file: string): string {
  return file.split("/")[0] ?? file;
}

/** One import cycle, first file repeated at its end; `undefined` if there is none. */
function findCycle(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): string[] | undefined {
    if (done.has(file)) return undefined;
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    path.push(file);
    for (const target of imports.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  }
  for (const file of imports.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return undefined;
}
