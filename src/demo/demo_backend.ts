import type { Clock } from "../resilience/clock.ts";
import { type HostFigures, STATUS_METHODS, statusMethods } from "./backend_methods.ts";
import { BackendServer } from "./backend_server.ts";
import { CompressionService, type CompressionServiceOptions } from "./compression_service.ts";
import { faultMethods, type FaultMethodsOptions } from "./fault_methods.ts";
import { Faults } from "./faults.ts";
import { createPages } from "./pages.ts";

export interface DemoBackendOptions {
  clock: Clock;
  listen: { readonly hostname: string; readonly port: number };
  compression: Omit<CompressionServiceOptions, "clock">;
  host: HostFigures;
  /** Whether faults may be switched on. */
  hasFaults: boolean;
  parseDuration: FaultMethodsOptions["parseDuration"];
}

/**
 * The demo backend, working and listening: a compression service with its swarm of agents, and
 * the JSON-RPC face that tells of them and of the machine.
 */
export class DemoBackend implements AsyncDisposable {
  readonly #service: CompressionService;
  readonly #server: BackendServer;

  /**
   * @throws {RangeError} If an option is out of range.
   * @throws {TypeError} If the spool cannot be used; the message is for users.
   * @throws {Deno.errors.AddrInUse} If the address is taken; others of {@linkcode Deno.errors} if
   * it cannot be listened on.
   */
  static async start(options: DemoBackendOptions): Promise<DemoBackend> {
    const service = await CompressionService.start({
      ...options.compression,
      clock: options.clock,
    });
    try {
      return new DemoBackend(service, options);
    } catch (error) {
      await service[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(service: CompressionService, options: DemoBackendOptions) {
    const { clock, listen, host, hasFaults, parseDuration } = options;
    const faults = hasFaults ? new Faults({ clock }) : undefined;
    const optionalFaults = faults === undefined ? {} : { faults };
    const switches = faultMethods({
      ...optionalFaults,
      faultable: STATUS_METHODS,
      parseDuration,
      onChange: () => this.#server.faultsChanged(),
    });
    this.#service = service;
    this.#server = new BackendServer({
      ...optionalFaults,
      clock,
      hostname: listen.hostname,
      port: listen.port,
      methods: new Map([...statusMethods(service, host), ...Object.entries(switches)]),
      pages: createPages({ ...optionalFaults, service, setFault: switches.SetFault }),
    });
  }

  /** Where it can be reached, with the port it really has. */
  get url(): string {
    return this.#server.url;
  }

  /** The real path of the folder it works on. */
  get directory(): string {
    return this.#service.directory;
  }

  /** Closes the port and stops; jobs in hand are rolled back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#server[Symbol.asyncDispose](),
      this.#service[Symbol.asyncDispose](),
    ]);
  }
}
