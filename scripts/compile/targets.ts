/** The systems that Deno makes executables for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

export type Target = typeof TARGETS[number];

/** What a name on the command line means; `undefined` if it means nothing. */
export function targetOf(name: string): Target | undefined {
  return TARGETS.find((target) => target === name);
}

/** Where the executable goes: a plain name for this machine, a reproducible one for a named target. */
export function outputName(target: Target | undefined, version: string): string {
  if (target === undefined) return Deno.build.os === "windows" ? "holdfast.exe" : "holdfast";
  return `holdfast-${version}-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** Whether an executable for this target runs here. */
export function runsHere(target: Target | undefined): boolean {
  return target === undefined || target === Deno.build.target;
}
