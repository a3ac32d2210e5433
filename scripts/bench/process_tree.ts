/** A process, told from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In ticks of the kernel since it began. */
  readonly startedAt: string;
}

/** The process and all that descend from it, the process first; none if it has ended. */
export async function processTree(pid: number): Promise<ProcessIdentity[]> {
  const tree: ProcessIdentity[] = [];
  const waiting = [pid];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const startedAt = await startOf(next);
    if (startedAt === undefined) continue;
    tree.push({ pid: next, startedAt });
    waiting.push(...await childrenOf(next));
  }
  return tree;
}

/** The processes that a process has started and that run still; none if it has ended itself. */
export async function childrenOf(pid: number): Promise<number[]> {
  const children: number[] = [];
  try {
    // The kernel lists children by the thread that started them.
    for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
      const text = await Deno.readTextFile(`/proc/${pid}/task/${name}/children`).catch(() => "");
      children.push(...text.split(" ").filter((each) => each.trim() !== "").map(Number));
    }
  } catch {
    // It has ended meanwhile.
  }
  return children;
}

/** Kills those that run still. */
export async function killAll(processes: readonly ProcessIdentity[]): Promise<void> {
  for (const { pid, startedAt } of processes) {
    if (await startOf(pid) !== startedAt) continue;
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended this moment.
    }
  }
}

/** When a process began; `undefined` if it has ended. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    return startedAtIn(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch {
    return undefined;
  }
}

/** The same from the text of `/proc/PID/stat`. A program's name may hold anything, also brackets. */
export function startedAtIn(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
