/** Starts {@linkcode file://./peers/victim.ts} and looks at its end. */

const SCRIPT = new URL("peers/victim.ts", import.meta.url).pathname;

/** What a victim says at its end. */
export interface VictimReport {
  readonly processDeaths: number;
  readonly calls: number;
  readonly seen: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
  readonly worstLagMs: number;
  readonly worstRssMb: number;
}

/** How a victim ended: its report, or how it died. */
export type VictimEnd =
  | { readonly ok: true; readonly report: VictimReport }
  | { readonly ok: false; readonly how: string };

/** Runs a victim until `isEnough`, or until it dies. */
export async function runVictim(
  args: { url: string; seed: number; ca?: string },
  isEnough: () => boolean,
): Promise<VictimEnd> {
  const { url, seed, ca } = args;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", SCRIPT, url, String(seed), ...ca ? [ca] : []],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const printed = new Response(child.stdout).text();
  let isOver = false;
  const ended = child.status.finally(() => isOver = true);
  while (!isOver && !isEnough()) await new Promise((resolve) => setTimeout(resolve, 20));
  await child.stdin.close().catch(() => {}); // it may have died
  const { success, code, signal } = await ended;
  const text = await printed;
  if (!success) return { ok: false, how: signal ?? `exit code ${code}` };
  return { ok: true, report: JSON.parse(text) };
}
