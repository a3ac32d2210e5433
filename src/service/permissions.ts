import { logOf } from "../telemetry/log.ts";

/** What the demo and its backend need, and a hub never: to run programs and to write files. */
const NOT_FOR_A_HUB = ["run", "write"] as const;

/**
 * Gives up, for the rest of the process' life, what a hub does not need. An executable's permissions
 * are the union of all its commands', so `serve` calls this before it opens its door.
 */
export function giveUpPermissions(): void {
  for (const name of NOT_FOR_A_HUB) {
    // Of a permission for certain programs or folders only, nothing is taken: whoever gave it
    // by name meant it, and the runtime takes back no more than it is asked for.
    if (Deno.permissions.querySync({ name }).state !== "granted") continue;
    const { state } = Deno.permissions.revokeSync({ name });
    logOf("service").debug("permission.given_up", { permission: name, state });
  }
}
