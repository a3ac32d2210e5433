import { cpus } from "node:os";
import type { Clock } from "../../resilience/clock.ts";
import { type Missing, MissingParts } from "./missing_parts.ts";
import {
  type CpuTimes,
  type NetworkCounters,
  parseCpuTimes,
  parseNetworkCounters,
  parseThreads,
  type ThreadCounts,
  usageRatio,
} from "./proc.ts";

/** What `GetSystemStatus` of the host backend gives. Absent parts are named in `missing`. */
export interface SystemStatus {
  readonly hostname?: string;
  readonly os: string;
  readonly os_release?: string;
  readonly arch: string;
  readonly uptime_seconds?: number;
  readonly cpu: {
    readonly count: number;
    readonly model?: string;
    /** Share of all processors' time that was busy since the previous reading, 0 to 1. */
    readonly usage_ratio?: number;
  };
  readonly load_average?: {
    readonly one_minute: number;
    readonly five_minutes: number;
    readonly fifteen_minutes: number;
  };
  readonly memory?: {
    readonly total_bytes: number;
    /** What programs can still get without swapping. */
    readonly available_bytes: number;
    /** Total less available. */
    readonly used_bytes: number;
    readonly used_ratio: number;
  };
  readonly swap?: {
    readonly total_bytes: number;
    readonly used_bytes: number;
    readonly free_bytes: number;
    readonly used_ratio: number;
  };
  readonly threads?: ThreadCounts;
  readonly network?: readonly NetworkStatus[];
  readonly missing?: readonly Missing[];
}

export interface NetworkStatus extends NetworkCounters {
  /** Since the previous reading; absent where the interface is new or its counters began anew. */
  readonly received_bytes_per_second?: number;
  readonly sent_bytes_per_second?: number;
}

export interface HostSystemOptions {
  /** Reads a file of `/proc`. */
  readText: (path: string) => Promise<string>;
  clock: Clock;
}

/** What rates and ratios are taken from: two of these. */
interface SystemSample {
  readonly atMs: number;
  readonly cpu: CpuTimes | undefined;
  readonly network: readonly NetworkCounters[] | undefined;
}

/** A sample with what was made of it, for the next reading. */
interface SystemReading {
  readonly sample: SystemSample;
  readonly usage: number | undefined;
  readonly network: readonly NetworkStatus[] | undefined;
}

/** How long the very first reading waits for its second sample, in milliseconds. */
const FIRST_SAMPLE_MS = 100;

/** Readings nearer to each other than this share their ratios and rates, in milliseconds. */
const MIN_APART_MS = 100;

/** Most interfaces listed; a machine with more of them (virtual ones) gets its first ones. */
const MAX_INTERFACES = 128;

/**
 * Reads this machine's load. Ratios and rates are over the time since the previous reading, which
 * it remembers; the first one takes two samples, so that it is real too.
 */
export class HostSystem {
  readonly #readText: (path: string) => Promise<string>;
  readonly #clock: Clock;
  #previous: SystemReading | undefined;

  constructor(options: HostSystemOptions) {
    this.#readText = options.readText;
    this.#clock = options.clock;
  }

  /**
   * @throws The signal's reason when it is aborted, or the system's error when nothing at all can
   * be read.
   */
  async read(options: { signal: AbortSignal }): Promise<SystemStatus> {
    const { signal } = options;
    const missing = new MissingParts();
    const { usage, network } = await this.#measure(missing, signal);
    const threads = await this.#readText("/proc/loadavg").then(parseThreads, () => undefined);
    const processors = await missing.attempt("cpu.model", cpus);
    const loads = await missing.attempt("load_average", Deno.loadavg);
    const memory = await missing.attempt("memory", Deno.systemMemoryInfo);
    const uptime = await missing.attempt("uptime_seconds", Deno.osUptime);
    signal.throwIfAborted();
    if ([usage, loads, memory, uptime].every((each) => each === undefined)) {
      throw missing.firstError;
    }
    const model = processors?.[0]?.model.trim();
    return {
      ...optional("hostname", await missing.attempt("hostname", Deno.hostname)),
      os: Deno.build.os,
      ...optional("os_release", await missing.attempt("os_release", Deno.osRelease)),
      arch: Deno.build.arch,
      ...optional("uptime_seconds", uptime),
      cpu: {
        count: processors?.length || navigator.hardwareConcurrency,
        ...optional("model", model || undefined),
        ...optional("usage_ratio", usage),
      },
      ...optional("load_average", loads && loadAverage(loads)),
      ...optional("memory", memory && memoryStatus(memory)),
      ...optional("swap", memory && swapStatus(memory)),
      ...optional("threads", threads),
      ...optional("network", network),
      ...optional("missing", missing.parts.length > 0 ? missing.parts : undefined),
    };
  }

  /** Takes a sample and sets it against the previous one. */
  async #measure(missing: MissingParts, signal: AbortSignal): Promise<SystemReading> {
    let from = this.#previous?.sample;
    if (from === undefined) {
      from = await this.#sample(new MissingParts());
      await this.#clock.sleep(FIRST_SAMPLE_MS, { signal });
    }
    const to = await this.#sample(missing);
    const previous = this.#previous; // another call may have been quicker
    if (previous !== undefined && to.atMs - previous.sample.atMs < MIN_APART_MS) return previous;
    const usage = from.cpu && to.cpu && usageRatio(from.cpu, to.cpu);
    const reading = { sample: to, usage, network: networkStatus(from, to) };
    this.#previous = reading;
    return reading;
  }

  async #sample(missing: MissingParts): Promise<SystemSample> {
    const network = await missing.attempt(
      "network",
      async () => parseNetworkCounters(await this.#readText("/proc/net/dev")),
    );
    if (network !== undefined && network.length > MAX_INTERFACES) {
      missing.add("network", `only ${MAX_INTERFACES} of ${network.length} interfaces are listed`);
    }
    const cpu = await missing.attempt("cpu.usage_ratio", () => this.#cpuTimes());
    return { atMs: this.#clock.now(), cpu, network: network?.slice(0, MAX_INTERFACES) };
  }

  /** From `/proc/stat`; from the runtime, which leaves waiting and stolen time out, elsewhere. */
  async #cpuTimes(): Promise<CpuTimes> {
    const stat = await this.#readText("/proc/stat").catch(() => "");
    return parseCpuTimes(stat) ?? runtimeCpuTimes();
  }
}

function runtimeCpuTimes(): CpuTimes {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const { user, nice, sys, irq, idle } = times;
    busy += user + nice + sys + irq;
    total += user + nice + sys + irq + idle;
  }
  if (total === 0) throw new Deno.errors.NotFound("no processor times");
  return { busy, total };
}

function loadAverage(loads: readonly number[]): NonNullable<SystemStatus["load_average"]> {
  const [one_minute = 0, five_minutes = 0, fifteen_minutes = 0] = loads;
  return { one_minute, five_minutes, fifteen_minutes };
}

function memoryStatus(memory: Deno.SystemMemoryInfo): NonNullable<SystemStatus["memory"]> {
  const { total, available } = memory;
  const used = Math.max(0, total - available);
  return {
    total_bytes: total,
    available_bytes: available,
    used_bytes: used,
    used_ratio: total === 0 ? 0 : used / total,
  };
}

function swapStatus(memory: Deno.SystemMemoryInfo): NonNullable<SystemStatus["swap"]> {
  const { swapTotal, swapFree } = memory;
  const used = Math.max(0, swapTotal - swapFree);
  return {
    total_bytes: swapTotal,
    used_bytes: used,
    free_bytes: swapFree,
    used_ratio: swapTotal === 0 ? 0 : used / swapTotal,
  };
}

/** The newer counters, with rates where the older sample has the interface too. */
function networkStatus(from: SystemSample, to: SystemSample): readonly NetworkStatus[] | undefined {
  const before = new Map(from.network?.map((each) => [each.name, each]));
  const seconds = (to.atMs - from.atMs) / 1000;
  return to.network?.map((now) => {
    const then = before.get(now.name);
    if (then === undefined || seconds <= 0) return now;
    const received = now.received_bytes - then.received_bytes;
    const sent = now.sent_bytes - then.sent_bytes;
    if (received < 0 || sent < 0) return now; // the counters began anew
    return {
      ...now,
      received_bytes_per_second: received / seconds,
      sent_bytes_per_second: sent / seconds,
    };
  });
}

/** A property if there is a value for it, else none. */
function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V };
}
