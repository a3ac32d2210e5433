/**
 * Names the permission flag whose lack an error tells of; `undefined` for any other error. The
 * runtime's message is not passed on as it stands, only the flag and what it was wanted for.
 */
export function missingPermission(error: unknown): string | undefined {
  if (!(error instanceof Deno.errors.NotCapable)) return undefined;
  const [, what, flag] = /^Requires (.+?), run again with the (--[\w-]+) flag$/.exec(
    error.message,
  ) ?? [];
  return flag === undefined
    ? "a permission is missing"
    : `needs ${flag} (${what}, which this process was not given)`;
}
