const GIB = 2 ** 30;
const MIB = 2 ** 20;

/**
 * A JSON-RPC backend with values as a small system would give, for looking at them: load that
 * moves, disks, agents at work, a queue of jobs, and a channel no page has heard of.
 */
export class PageBackend implements AsyncDisposable {
  #port = 0;
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #polls = 0;
  /** Methods that are answered with a JSON-RPC error. */
  readonly broken = new Set<string>();
  /** What a method gives in place of its usual value. */
  readonly values = new Map<string, unknown>();

  constructor() {
    this.start();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/rpc`;
  }

  /** Listens, after {@linkcode PageBackend.stop} on the same port again. */
  start(): void {
    if (this.#server !== undefined) return;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: this.#port, onListen: () => {} },
      async (request) => {
        const { id, method } = await request.json();
        if (this.broken.has(method)) {
          const error = { code: -32000, message: "the disks cannot be read" };
          return Response.json({ jsonrpc: "2.0", id, error });
        }
        return Response.json({ jsonrpc: "2.0", id, result: this.#valueOf(method) });
      },
    );
    this.#port = this.#server.addr.port;
  }

  /** Connections are refused from now on. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.shutdown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #valueOf(method: string): unknown {
    if (this.values.has(method)) return this.values.get(method);
    const at = this.#polls += 1;
    const wave = (Math.sin(at / 120) + Math.sin(at / 41) / 3 + Math.sin(at / 7) / 9 + 1.5) / 3;
    switch (method) {
      case "GetStorage":
        return { filesystems: fileSystems() };
      case "GetAgents":
        return { agents: agents(wave) };
      case "GetCompressionJobs":
        return jobs(wave);
      case "GetQueue":
        return {
          depth: Math.round(40 * wave),
          oldest_seconds: 75,
          throughput_per_second: 18 * wave,
          is_paused: false,
          consumers: [
            { name: "mailer", lag_messages: 12, last_seen: 1764000000 },
            { name: "invoices", lag_messages: 0, last_seen: 1764000042 },
          ],
        };
      default:
        return system(wave);
    }
  }
}

function system(wave: number): object {
  const used = 6.4 * GIB + wave * GIB;
  return {
    hostname: "spool-1",
    os: "linux",
    os_release: "6.12.48",
    arch: "x86_64",
    uptime_seconds: 1_234_567,
    cpu: { count: 8, model: "Example 3000", usage_ratio: 0.12 + 0.6 * wave },
    load_average: { one_minute: 8 * wave, five_minutes: 3.4, fifteen_minutes: 2.02 },
    memory: {
      total_bytes: 16 * GIB,
      available_bytes: 16 * GIB - used,
      used_bytes: used,
      used_ratio: used / (16 * GIB),
    },
    swap: { total_bytes: 2 * GIB, used_bytes: 0, free_bytes: 2 * GIB, used_ratio: 0 },
    threads: { running: 3, total: 412 },
    network: [
      {
        name: "eth0",
        received_bytes: 8.1e10,
        sent_bytes: 2.2e10,
        received_bytes_per_second: 3.1 * MIB * wave,
        sent_bytes_per_second: 0.7 * MIB,
      },
    ],
  };
}

function fileSystems(): object[] {
  const disk = (mount_point: string, total: number, used_ratio: number) => ({
    mount_point,
    device: "/dev/vda1",
    fs_type: "ext4",
    total_bytes: total * GIB,
    used_bytes: total * GIB * used_ratio,
    free_bytes: total * GIB * (1 - used_ratio),
    used_ratio,
  });
  return [disk("/", 40, 0.41), disk("/var/spool", 500, 0.93), disk("/home", 120, 0.66)];
}

function agents(wave: number): object[] {
  const working = (id: string, file: string, progress_ratio: number) => ({
    id,
    state: "working",
    since: 1764000000,
    current_job: { id: "job-1", file, progress_ratio },
    jobs_done: 31,
    jobs_failed: 0,
    bytes_per_second: 40 * MIB * (0.4 + wave),
  });
  return [
    working("agent-1", "access-2025-11-22.log", 0.18 + wave / 2),
    working("agent-2", "dump-orders.sql", 0.62),
    {
      id: "agent-3",
      state: "idle",
      since: 1764000000,
      jobs_done: 28,
      jobs_failed: 1,
      bytes_per_second: 0,
    },
  ];
}

function jobs(wave: number): object {
  return {
    queued: Math.round(12 * wave),
    compressing: 2,
    done: 90,
    failed: 1,
    read_bytes: 41 * GIB,
    written_bytes: 9 * GIB,
    jobs: [
      {
        id: "job-92",
        file: "access-2025-11-22.log",
        state: "compressing",
        original_bytes: 1.8 * GIB,
        written_bytes: 190 * MIB,
        progress_ratio: 0.18 + wave / 2,
        agent: "agent-1",
      },
      {
        id: "job-91",
        file: "dump-orders.sql",
        state: "compressing",
        original_bytes: 6.2 * GIB,
        written_bytes: 1.1 * GIB,
        progress_ratio: 0.62,
        agent: "agent-2",
      },
      {
        id: "job-90",
        file: "access-2025-11-21.log",
        state: "done",
        original_bytes: 1.7 * GIB,
        written_bytes: 201 * MIB,
        progress_ratio: 1,
        agent: "agent-3",
      },
    ],
    unlisted: 0,
  };
}
