/** Debian's package `prometheus` has it. */
const PROMTOOL = "promtool";

/**
 * Whether promtool is there. On a build machine, where `CI` is set, it must be: there a test that
 * needs it fails instead of being left out.
 */
export function hasPromtool(): boolean {
  if (Deno.env.get("CI")) return true;
  try {
    return new Deno.Command(PROMTOOL, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    // deno-lint-ignore no-console -- whoever runs the tests should know what was left out
    console.warn("promtool is missing: tests that need it are left out (apt install prometheus)");
    return false;
  }
}

/** Runs promtool to its end; what it has to complain of, empty if nothing. */
export async function promtool(args: readonly string[], stdin = ""): Promise<string> {
  const child = new Deno.Command(PROMTOOL, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const complaint = decoder.decode(stderr).trim();
  // Findings of its linter come with a text and, in some versions, without a failure.
  return success ? complaint : `${complaint}\n${decoder.decode(stdout)}`;
}
