import { Backoff } from "../resilience/backoff.ts";
import type { Fetch } from "./refusal_probe.ts";
import type { SocketConstructor } from "./socket.ts";
import { type ClientClock, systemClock } from "./time.ts";
import { browserWakeUps, type WakeUps } from "./wake_ups.ts";

/** A token, or a function that gives the one to use now; called before each connection. */
export type TokenSource = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** Channels to hear. Default: all that the hub offers. */
  channels?: readonly string[];
  token?: TokenSource;
  /** Whether the hub may put several frames into one message. Default true. */
  batch?: boolean;
  /** Whether the hub may send of a value what changed only; nothing of it is seen. Default true. */
  delta?: boolean;
  /** Waits between attempts, full jitter. Default 500 ms to 30 s. */
  backoff?: { minMs: number; maxMs: number };
  /** The most that opening a connection may take, in milliseconds. Default 10 000. */
  openTimeoutMs?: number;
  /** Whether to ask by HTTP why a connection was refused. Default true. */
  askDoor?: boolean;
  /** Default: the runtime's own. Node 20 has none: pass the one of `ws` or `undici`. */
  WebSocket?: SocketConstructor;
  /** Default: the runtime's own. */
  fetch?: Fetch;
  /**
   * Says in a few words why a request got no answer, for the reason of a `waiting` state. Default:
   * nothing is said, as browsers hide it.
   */
  explainFailure?: (error: unknown) => string | undefined;
  /**
   * Reads the JSON of messages. Default `JSON.parse`, which rounds numbers that a double cannot
   * hold.
   */
  parse?: (text: string) => unknown;
  /** Default: the runtime's own. */
  clock?: ClientClock;
  /** Chance for the jitter, in [0, 1). Default `Math.random`. */
  random?: () => number;
  /**
   * What ends a wait before its time. Default: a browser's `online`, `pageshow` and a tab that is
   * shown again; nothing elsewhere.
   */
  wakeUps?: WakeUps;
}

export interface ResolvedOptions {
  readonly batch: boolean;
  readonly delta: boolean;
  readonly backoff: Backoff;
  readonly openTimeoutMs: number;
  /** `undefined`: the door is not asked. */
  readonly fetch: Fetch | undefined;
  readonly explainFailure: (error: unknown) => string | undefined;
  readonly parse: (text: string) => unknown;
  readonly WebSocket: SocketConstructor;
  readonly clock: ClientClock;
  readonly random: () => number;
  readonly wakeUps: WakeUps;
}

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} If a number is out of range.
 * @throws {TypeError} If the runtime has no WebSocket and none was given.
 */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const {
    batch = true,
    delta = true,
    backoff = { minMs: 500, maxMs: 30_000 },
    openTimeoutMs = 10_000,
    askDoor = true,
    WebSocket = (globalThis as { WebSocket?: SocketConstructor }).WebSocket,
    fetch = globalThis.fetch?.bind(globalThis),
    explainFailure = () => undefined,
    parse = JSON.parse,
    clock = systemClock,
    random = Math.random,
    wakeUps = browserWakeUps,
  } = options;
  if (WebSocket === undefined) {
    throw new TypeError(
      "Cannot connect as this runtime has no WebSocket: " +
        "give one as the option 'WebSocket', such as that of the package \"ws\"",
    );
  }
  if (!(openTimeoutMs > 0)) {
    throw new RangeError(
      `Cannot connect as 'openTimeoutMs' must be a positive number: current value is ${openTimeoutMs}`,
    );
  }
  return {
    batch,
    delta,
    backoff: new Backoff(backoff),
    openTimeoutMs,
    fetch: askDoor ? fetch : undefined,
    explainFailure,
    parse,
    WebSocket,
    clock,
    random,
    wakeUps,
  };
}

/** @throws {RangeError} If the token cannot be one; the message does not quote it. */
export function checkToken(token: unknown): asserts token is string | undefined {
  if (token === undefined || (typeof token === "string" && token !== "")) return;
  throw new RangeError("Cannot connect as 'token' must be a text that is not empty");
}
