/** What the kernel knows of another process of ours. Linux only. */

const LISTENING = "0A";

/** The child of this process that listens on a port of 127.0.0.1, such as the hub under test. */
export function childListeningOn(port: number): number {
  const inode = inodeOfListener(port);
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
    if (Number.isInteger(pid) && parentOf(pid) === Deno.pid && holds(pid, `socket:[${inode}]`)) {
      return pid;
    }
  }
  throw new Error(`no child of this process listens on port ${port}`);
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  return statusKilobytes(pid, "VmRSS") * 1024;
}

/** Files, sockets and the like that a process holds open. */
export function openHandles(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Most handles a process started by this one may hold open. */
export function handleLimit(): number {
  const limits = Deno.readTextFileSync("/proc/self/limits");
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
}

/** How long a halted process may take to stand still, in milliseconds. */
const HALT_MS = 2000;

/** Waits until every thread of a process stands still after SIGSTOP: the signal takes its time. */
export function waitUntilHalted(pid: number): void {
  const until = performance.now() + HALT_MS;
  while (!threadsOf(pid).every((thread) => stateOf(thread) === "T")) {
    if (performance.now() > until) throw new Error(`process ${pid} does not stand still`);
  }
}

function threadsOf(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => `/proc/${pid}/task/${name}`);
}

function stateOf(thread: string): string | undefined {
  return /^State:\s+(\w)/m.exec(Deno.readTextFileSync(`${thread}/status`))?.[1];
}

function statusKilobytes(pid: number, field: string): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status does not tell ${field}`);
  return Number(kilobytes);
}

function inodeOfListener(port: number): string {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const row of Deno.readTextFileSync("/proc/net/tcp").split("\n").slice(1)) {
    const [, local = "", , state, , , , , , inode] = row.trim().split(/\s+/);
    if (local.endsWith(`:${wanted}`) && state === LISTENING && inode) return inode;
  }
  throw new Error(`nothing listens on port ${port}`);
}

function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold anything; the parent is the second field after it.
    const [, after = ""] = /\) (.*)/s.exec(Deno.readTextFileSync(`/proc/${pid}/stat`)) ?? [];
    return Number(after.split(" ")[1]);
  } catch {
    return undefined; // it ended meanwhile
  }
}

function holds(pid: number, link: string): boolean {
  const folder = `/proc/${pid}/fd`;
  for (const { name } of Deno.readDirSync(folder)) {
    try {
      if (Deno.readLinkSync(`${folder}/${name}`) === link) return true;
    } catch {
      // It was closed meanwhile.
    }
  }
  return false;
}
