/** As much of a `deno.lock`, version 5, as matters here. */
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
    const { dependencies = [], optionalDependencies = [], optionalPeers = [] } = locked;
    for (const each of [...dependencies, ...optionalDependencies, ...optionalPeers]) {
      const needed = keyOf(lock, each);
      if (needed !== undefined) queue.push(needed);
    }
  }
  return {
    ...lock,
    specifiers: Object.fromEntries(specifiers),
    npm: Object.fromEntries(Object.entries(lock.npm).filter(([key]) => found.has(key))),
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

/** The entry that a dependency means; an optional one may have none. */
function keyOf(lock: LockFile, dependency: string): string | undefined {
  if (Object.hasOwn(lock.npm, dependency)) return dependency;
  return Object.keys(lock.npm).find((key) => key.startsWith(`${dependency}@`));
}
