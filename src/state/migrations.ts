/**
 * The store's schema, step by step: each brings a store of the version before to its own. A step
 * that was released is never changed; another follows it.
 */
export const MIGRATIONS: readonly string[] = [
  // 1
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE entries (
     kind TEXT NOT NULL,
     key TEXT NOT NULL,
     body TEXT NOT NULL,
     at INTEGER NOT NULL,   -- unix seconds
     sum INTEGER NOT NULL,  -- of kind, key and body
     PRIMARY KEY (kind, key)
   ) WITHOUT ROWID;
   CREATE INDEX entries_by_age ON entries (kind, at);`,
];
