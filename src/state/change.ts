/** What is kept, by kind. What keys and bodies mean is known to the room that writes the kind. */
export const KINDS = [
  "position",
  "frame",
  "session",
  "value",
  "age",
  "breaker",
  "incident",
  "life",
  "uptime",
  "hook",
  "delivery",
  "unsaid",
] as const;
export type Kind = typeof KINDS[number];

/**
 * The kinds that say how far clients have got. They are only true together and to the last one:
 * where one may be missing, none of them is given back.
 */
export const POSITION_KINDS: ReadonlySet<Kind> = new Set(["position", "frame", "session"]);

/** Something to be kept from now on, or to be forgotten. */
export interface Change {
  readonly kind: Kind;
  readonly key: string;
  /** JSON text; null: forgotten. */
  readonly body: string | null;
}

/** What was kept before this life of the hub: bodies by key, in the order of their keys. */
export type KeptRecords = ReadonlyMap<Kind, ReadonlyMap<string, string>>;

/** How long, and how many, entries of a kind are kept that are not removed one by one. */
export interface KeepLimit {
  readonly kind: Kind;
  readonly maxEntries: number;
  readonly maxAgeMs: number;
}
