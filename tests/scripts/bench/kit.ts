import { compileNative } from "../../../scripts/bench/compile_native.ts";
import type { Kit } from "../../../scripts/bench/peer.ts";
import { Folder } from "../folder.ts";

/** What peers are made with, in a folder that goes away with it. Nothing is tied to a core. */
export async function openKit(): Promise<Kit & AsyncDisposable> {
  const folder = await Folder.make();
  try {
    return {
      native: await compileNative(folder.path),
      cores: { arePinned: false, server: (each) => [...each], load: (each) => [...each] },
      cacheFolder: `${folder.path}/cache`,
      folder: folder.path,
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}
