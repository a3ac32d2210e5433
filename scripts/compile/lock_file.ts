/** As much of a lock file, version 5, as matters here. */
export interface LockFile {
  /** What was asked for (`npm:zod@4.6.7`) -> the version it got, with those of its peers. */
  readonly specifiers: Readonly<Record<string, string>>;
  /** By name and that version. */
  readonly npm: Readonly<Record<string, LockedPackage>>;
  readonly workspace: { readonly dependencies: readonly string[] };
}

interface LockedPackage {
  /** A name alone where the file has one version of it, else with the version. */
  readonly dependencies?: readonly string[];
  readonly optionalDependencies?: readonly string[];
  readonly optionalPeers?: readonly string[];
}

/** Where an entry names others. */
const LISTS = ["dependencies", "optionalDependencies", "optionalPeers"] as const;

/**
 * The lock file of a configuration that imports these packages (`zod@4.6.7`) alone. Deno embeds
 * every package that a lock file names. And where it names others than the configuration does, Deno
 * resolves all of them anew, for which it asks the registry, though each is in the cache.
 */
export function reducedLock(lock: LockFile, packages: Iterable<string>): LockFile {
  const wanted = new Set([...packages].map((name) => `npm:${name}`));
  const isWanted = (specifier: string) => wanted.has(specifier);
  const specifiers = Object.entries(lock.specifiers).filter(([specifier]) => isWanted(specifier));
  const found = new Set<string>();
  const queue = specifiers.map(([specifier, version]) => `${nameOf(specifier)}@${version}`);
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const locked = lock.npm[key];
    if (locked === undefined || found.has(key)) continue;
    found.add(key);
    for (const each of LISTS.flatMap((list) => locked[list] ?? [])) {
      const needed = keyOf(lock, each);
      if (needed !== undefined) queue.push(needed);
    }
  }
  return {
    ...lock,
    specifiers: Object.fromEntries(specifiers),
    npm: Object.fromEntries(
      [...found].sort().map((key) => [key, withShortNames(lock.npm[key] ?? {}, found)]),
    ),
    workspace: {
      ...lock.workspace,
      dependencies: lock.workspace.dependencies.filter(isWanted),
    },
  };
}

/** `npm:@a/b@1.2.3` -> `@a/b`. */
function nameOf(specifier: string): string {
  return specifier.replace(/^npm:/, "").replace(/(?<=.)@[^/]*$/, "");
}

/** As Deno writes it: a dependency of which the file has one version is a name alone. */
function withShortNames(locked: LockedPackage, keys: ReadonlySet<string>): LockedPackage {
  const short = (dependency: string) => {
    const name = keyName(dependency);
    return [...keys].filter((key) => keyName(key) === name).length === 1 ? name : dependency;
  };
  const lists = LISTS.flatMap((list) => {
    const names = locked[list];
    return names === undefined ? [] : [[list, names.map(short)] as const];
  });
  return { ...locked, ...Object.fromEntries(lists) };
}

/** `@a/b@1.2.3_peer@2.0.0` -> `@a/b`. */
function keyName(key: string): string {
  return key.replace(/(?<=.)@.*$/, "");
}

/** The entry that a dependency means; an optional one may have none. */
function keyOf(lock: LockFile, dependency: string): string | undefined {
  if (Object.hasOwn(lock.npm, dependency)) return dependency;
  return Object.keys(lock.npm).find((key) => key.startsWith(`${dependency}@`));
}
