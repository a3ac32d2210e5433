import type { Change, KeptRecords, Kind } from "../../state/change.ts";

/** A change of one entry; `undefined` in place of a value: it is forgotten. */
export function change(kind: Kind, key: string, value: object | undefined): Change {
  return { kind, key, body: value === undefined ? null : JSON.stringify(value) };
}

/**
 * What was kept of one kind, by key. It was written by this very code and comes with a checksum: it is
 * taken as what it says it is.
 */
export function bodiesOf<T>(kept: KeptRecords, kind: Kind): Map<string, T> {
  const bodies = kept.get(kind) ?? new Map<string, string>();
  return new Map([...bodies].map(([key, body]) => [key, JSON.parse(body) as T]));
}
