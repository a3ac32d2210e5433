import { openLibc } from "./libc.ts";

const PATH = "/proc/sys/kernel/random/boot_id";

/**
 * Names the time since the machine last started; undefined where it cannot be known (not Linux, or
 * neither the C library nor `/proc` may be used).
 */
export function readBootId(): string | undefined {
  const libc = openLibc();
  if (!("unavailable" in libc)) {
    using _closed = libc;
    const id = libc.readProc(PATH)?.trim();
    if (id) return id;
  }
  try {
    return Deno.readTextFileSync(PATH).trim() || undefined;
  } catch {
    return undefined;
  }
}
