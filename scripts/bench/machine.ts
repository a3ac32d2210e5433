/** What a result was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
}

const GIBIBYTE = 1024 ** 3;

/** This machine. */
export async function describeMachine(): Promise<Machine> {
  const cpus = await Deno.readTextFile("/proc/cpuinfo");
  const [, cpu = "unknown"] = /^model name\s*:\s*(.*)$/m.exec(cpus) ?? [];
  return {
    cpu,
    cores: navigator.hardwareConcurrency,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / GIBIBYTE),
    kernel: `${Deno.build.os} ${Deno.osRelease()}`,
  };
}
