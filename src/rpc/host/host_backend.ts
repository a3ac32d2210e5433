import { type Clock, systemClock } from "../../resilience/clock.ts";
import { type Backend, type Call, type Outcome, valueOutcome } from "../backend.ts";
import { HostStorage } from "./storage.ts";
import { HostSystem } from "./system.ts";
import { missingPermission } from "./permission.ts";

/** What the host backend needs of the machine; the defaults are the machine itself. */
export interface HostOptions {
  /**
   * Reads a file of `/proc`. Deno guards that directory with `--allow-all`; a caller with another
   * way to it can put it here. Default: `Deno.readTextFile`.
   */
  readText?: (path: string) => Promise<string>;
  /** Default: the machine's. */
  clock?: Clock;
}

/**
 * The backend inside this process: what this machine says of itself. Methods: `GetSystemStatus`
 * and `GetStorage`. What a lack of permission or another kind of system keeps from it is listed
 * under the value's `missing`.
 */
export function createHostBackend(options: HostOptions = {}): Backend {
  return new HostBackend(options);
}

type HostRead = (options: { signal: AbortSignal }) => Promise<unknown>;

class HostBackend implements Backend {
  readonly #methods: ReadonlyMap<string, HostRead>;
  readonly #closed = new AbortController();

  constructor(options: HostOptions) {
    const { readText = Deno.readTextFile, clock = systemClock } = options;
    const system = new HostSystem({ readText, clock });
    const storage = new HostStorage({ readText, clock });
    this.#methods = new Map<string, HostRead>([
      ["GetSystemStatus", (options) => system.read(options)],
      ["GetStorage", (options) => storage.read(options)],
    ]);
  }

  async call({ method }: Call, options: { signal: AbortSignal }): Promise<Outcome> {
    const { signal } = options;
    signal.throwIfAborted();
    if (this.#closed.signal.aborted) {
      return { kind: "unavailable", reason: "the backend was closed" };
    }
    const read = this.#methods.get(method);
    if (read === undefined) {
      const known = [...this.#methods.keys()].join(" and ");
      return { kind: "rejected", reason: `the host backend has no such method; it has ${known}` };
    }
    try {
      return valueOutcome(await read({ signal }));
    } catch (error) {
      signal.throwIfAborted();
      const reason = missingPermission(error) ?? "this machine's figures could not be read";
      return { kind: "unavailable", reason };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    return Promise.resolve();
  }
}
