/** Reads the kernel's text files under `/proc`: pure, from text to numbers. */

/** Time a machine's processors spent since boot, in ticks of whatever length. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** Counters of one network interface since it came up. */
export interface NetworkCounters {
  readonly name: string;
  readonly received_bytes: number;
  readonly received_packets: number;
  readonly received_errors: number;
  readonly sent_bytes: number;
  readonly sent_packets: number;
  readonly sent_errors: number;
}

export interface ThreadCounts {
  readonly running: number;
  readonly total: number;
}

/** The first line of `/proc/stat`: all processors together. Waiting for disks counts as idle. */
export function parseCpuTimes(stat: string): CpuTimes | undefined {
  const fields = /^cpu\s+(.+)$/m.exec(stat)?.[1]?.trim().split(/\s+/).map(Number);
  if (fields === undefined || fields.length < 4 || !fields.every(Number.isFinite)) return undefined;
  // user nice system idle iowait irq softirq steal; guest times after these are in user already.
  const [, , , idle = 0, iowait = 0] = fields;
  const total = sum(fields.slice(0, 8));
  return { busy: total - idle - iowait, total };
}

/** `/proc/loadavg`'s count of threads: those that run or wait for a processor, and all. */
export function parseThreads(loadavg: string): ThreadCounts | undefined {
  const [, running, total] = /(\d+)\/(\d+) \d+\s*$/.exec(loadavg) ?? [];
  return total === undefined ? undefined : { running: Number(running), total: Number(total) };
}

/** `/proc/net/dev`, interface by interface. */
export function parseNetworkCounters(netDev: string): NetworkCounters[] {
  return [...netDev.matchAll(/^\s*([^\s:]\S*?):\s*(\d[\d\s]*)$/gm)].flatMap(([, name, numbers]) => {
    const fields = numbers?.trim().split(/\s+/).map(Number) ?? [];
    if (name === undefined || fields.length < 16) return [];
    const [received_bytes = 0, received_packets = 0, received_errors = 0] = fields;
    const [sent_bytes = 0, sent_packets = 0, sent_errors = 0] = fields.slice(8);
    return [{
      name,
      received_bytes,
      received_packets,
      received_errors,
      sent_bytes,
      sent_packets,
      sent_errors,
    }];
  });
}

/** The share of time the processors were busy between two readings, 0 to 1. */
export function usageRatio(from: CpuTimes, to: CpuTimes): number {
  const total = to.total - from.total;
  if (total <= 0) return 0;
  return Math.min(1, Math.max(0, (to.busy - from.busy) / total));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
