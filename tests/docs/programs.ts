/**
 * Whether a program is installed. On a build machine, where `CI` is set, it must be: there a test
 * that needs it fails instead of being left out.
 *
 * @param hint Debian's package that has it.
 */
export function hasProgram(program: string, hint: string): boolean {
  if (Deno.env.get("CI")) return true;
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"];
  if (folders.some((folder) => isFile(`${folder}/${program}`))) return true;
  // deno-lint-ignore no-console -- whoever runs the tests should know what was left out
  console.warn(`${program} is missing: tests that need it are left out (apt install ${hint})`);
  return false;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
