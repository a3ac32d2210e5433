import { Watched } from "./until.ts";

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 5;

/** Looks until it is true, for what nothing tells of by itself. */
export async function eventually(what: string, isTrue: () => boolean): Promise<void> {
  const watched = new Watched();
  const looking = setInterval(() => watched.changed(), LOOK_EVERY_MS);
  try {
    await watched.until(() => isTrue() || undefined, { explain: () => `not so: ${what}` });
  } finally {
    clearInterval(looking);
  }
}
