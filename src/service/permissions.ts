import { logOf } from "../telemetry/log.ts";

/**
 * What the demo and its backend need, and a hub seldom: to write files, and to run programs, which
 * for a hub is itself once more for each gRPC backend.
 */
const SELDOM_FOR_A_HUB = ["run", "write"] as const;

/**
 * Gives up, for the rest of the process' life, what a hub does not need. An executable's permissions
 * are the union of all its commands', so `serve` calls this before it opens its door.
 */
export function giveUpPermissions(
  { keep = [] }: { keep?: readonly (typeof SELDOM_FOR_A_HUB)[number][] } = {},
): void {
  for (const name of SELDOM_FOR_A_HUB) {
    if (keep.includes(name)) continue;
    // Of a permission for certain programs or folders only, nothing is taken: whoever gave it
    // by name meant it, and the runtime takes back no more than it is asked for.
    if (Deno.permissions.querySync({ name }).state !== "granted") continue;
    const { state } = Deno.permissions.revokeSync({ name });
    logOf("service").debug("permission.given_up", { permission: name, state });
  }
}
