/**
 * A mark in a folder: since it was written last, a hub said things that are not in it. Whoever had
 * heard of the hub before that, and comes back to a later life, may have missed them.
 */
const FILE = "unkept";

/** Marks a folder, if anything at all can be written there; whether it could. */
export function markUnkept(dir: string): boolean {
  try {
    Deno.writeFileSync(`${dir}/${FILE}`, new Uint8Array());
    return true;
  } catch {
    return false;
  }
}

/** Whether a folder is marked. */
export function isUnkept(dir: string): boolean {
  try {
    Deno.lstatSync(`${dir}/${FILE}`);
    return true;
  } catch {
    return false;
  }
}

/** Takes the mark away, as the folder has everything again. */
export function removeUnkept(dir: string): void {
  try {
    Deno.removeSync(`${dir}/${FILE}`);
  } catch {
    // It is not there; or it stays, and the next life begins a new epoch once more than it has to.
  }
}
