/** Debian's own interpreter: a Python from elsewhere does not see Debian's packages. */
export const PYTHON = "/usr/bin/python3";

/**
 * Whether Debian's Python has a module. On a build machine, where `CI` is set, it must: there a
 * test that needs it fails instead of being left out.
 */
export function hasPythonModule(module: string): boolean {
  if (Deno.env.get("CI")) return true;
  try {
    const { success } = new Deno.Command(PYTHON, {
      args: ["-c", `import ${module}`],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}

/** Runs a script of this folder to its end; resolves with what it printed, or fails with its error. */
export async function runPython(script: string, args: readonly string[]): Promise<string> {
  const { pathname } = new URL(script, import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(PYTHON, {
    args: [pathname, ...args],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${script} failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
