import { processTree } from "./process_tree.ts";

const KIBIBYTE = 1024;

/** Resident memory of a process and of all that descend from it, in bytes; what they share counts for each. */
export async function residentBytes(pid: number): Promise<number> {
  const tree = await processTree(pid);
  if (tree.length === 0) throw new Error(`there is no process ${pid}`);
  const each = await Promise.all(tree.map((one) => residentBytesOf(one.pid)));
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

async function residentBytesOf(pid: number): Promise<number> {
  const rollup = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`);
  const [, kib] = /^Rss:\s+(\d+) kB$/m.exec(rollup) ?? [];
  if (kib === undefined) throw new Error(`/proc/${pid}/smaps_rollup does not tell the memory`);
  return Number(kib) * KIBIBYTE;
}

/** What waits in the kernel to be sent by the sockets of a server on this port of 127.0.0.1, in bytes. */
export async function sendQueueBytes(port: number): Promise<number> {
  return sumSendQueues(await Deno.readTextFile("/proc/net/tcp"), port);
}

/** The same from the text of `/proc/net/tcp`. */
export function sumSendQueues(table: string, port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  let sum = 0;
  for (const row of table.split("\n").slice(1)) {
    const [, local = "", , , queues = ""] = row.trim().split(/\s+/);
    if (local.endsWith(wanted)) sum += Number.parseInt(queues, 16); // tx_queue:rx_queue
  }
  return sum;
}
