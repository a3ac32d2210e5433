import { formatListen, type Listen } from "../config/listen.ts";

/** Why a command that was to listen did not start, in words for users. */
export function whyNotListening(error: unknown, listen: Listen): string {
  const address = formatListen(listen);
  if (error instanceof Deno.errors.AddrInUse) {
    return `cannot listen on ${address}: something else does already; choose another with --listen`;
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return `cannot listen on ${address}: permission denied`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return `cannot listen on ${address}: this machine does not have that address`;
  }
  return `cannot start: ${error instanceof Error ? error.message : String(error)}`;
}
