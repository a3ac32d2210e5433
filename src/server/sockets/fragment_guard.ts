import type { Slice } from "../../platform/libc.ts";
import { addressKey, type SocketAddress } from "../../platform/socket_address.ts";
import type { Clock } from "../../resilience/clock.ts";
import { onAbort } from "../../resilience/on_abort.ts";

/** Counts what the operating system received; {@linkcode SocketGuard} does. */
export interface ReceivedBytes {
  /** Bytes received in each connection's life, by its key; of a slice of all if one is given. */
  received(slice?: Slice): ReadonlyMap<string, number>;
  /** Of those, the ones that still wait in the kernel, for these connections. */
  unread(keys: ReadonlySet<string>): ReadonlyMap<string, number>;
}

export interface FragmentGuardOptions {
  clock: Clock;
  sockets: ReceivedBytes;
  /** Longest message a client may send, in bytes. */
  maxMessageBytes: number;
  /** Threads of this process that have about as many connections each. Default: this one alone. */
  threads?: number | undefined;
  /** Resident memory of this process, in bytes. Default: as the runtime tells it. */
  residentBytes?: () => number;
}

/** A connection under watch; stop watching by disposing of it. */
export interface Watched extends Disposable {
  /** A message of this many bytes came through. */
  delivered(bytes: number): void;
}

/**
 * How often memory is looked at, in milliseconds: the only early sign there is. While it says
 * nothing it waits for others that look at something, as most of what a look costs is to wake up for
 * it; and there is none without clients.
 */
const LOOK_EVERY_MS = 20;
/**
 * Growth of memory from one look to the next that says something, in bytes: so much, and for each
 * connection what a broadcast to it takes for a moment.
 */
const TELLING_GROWTH_BYTES = 1024 * 1024;
/**
 * Growth of memory since the last sweep that calls for the next one at once, in bytes: so much, and
 * for each connection what sending to it makes the heap rise and fall by, which is nobody's fault.
 */
const ALARMING_GROWTH_BYTES = 8 * 1024 * 1024;
const USUAL_GROWTH_BYTES = 4096;
/**
 * Without alarm, for those that send slowly, the connections are looked at slice by slice, all of
 * them in ten seconds: all at one go would hold up everybody's frames. A slice has so many of them.
 */
const ROUND_MS = 10_000;
const SLICE_CONNECTIONS = 50;
const SLICES = { least: 10, most: 100 } as const;
/** What a handshake, TLS and frame headers may come to, in bytes. */
const OVERHEAD_BYTES = 256 * 1024;
/** Pings and pongs are not shown to us: what they may come to, in bytes a second and in all. */
const CONTROL_BYTES_PER_SECOND = 64;
const MAX_CONTROL_BYTES = 4 * 1024 * 1024;

/** Somebody who may turn out to send without an end. */
export interface EndlessSender {
  /** It has to go: it received so many bytes that were never handed over. Called once. */
  onEndless(bytes: number): void;
}

export interface WatchOptions {
  /** Bytes received before it was a WebSocket. Default, where that is not known: what the next sweep sees. */
  receivedBefore?: number | undefined;
}

class Watch implements Watched {
  /** At the last sweep. */
  received: number;
  /** Since the last sweep. */
  deliveredBytes = 0;
  isSuspect = false;

  /** @param accountedAt When all was accounted for. */
  constructor(
    readonly sender: EndlessSender,
    public accountedAt: number,
    /** Bytes received up to which all is accounted for; `undefined` until the first sweep. */
    public accounted: number | undefined,
    private readonly key: string,
    private readonly watches: Map<string, Watch>,
  ) {
    this.received = accounted ?? 0;
  }

  delivered(bytes: number): void {
    this.deliveredBytes += bytes;
  }

  [Symbol.dispose](): void {
    if (this.watches.get(this.key) === this) this.watches.delete(this.key);
  }
}

/**
 * Finds the clients that send messages without an end. The runtime puts fragments together without
 * any bound and shows them to nobody before the last one, so the guard compares what the operating
 * system received on a connection with what came through as messages: the difference sits in the
 * dark. A client that is over twice in a row is ended.
 *
 * A sweep costs microseconds a connection, so it is done when memory grows, else slice by slice.
 */
export class FragmentGuard {
  readonly #options: FragmentGuardOptions;
  readonly #watches = new Map<string, Watch>();
  #residentAtSweep = Infinity;
  #onWatch: (() => void) | undefined;

  constructor(options: FragmentGuardOptions) {
    this.#options = options;
  }

  /** Watches the connection with this peer. */
  watch(
    peer: SocketAddress,
    sender: EndlessSender,
    { receivedBefore }: WatchOptions = {},
  ): Watched {
    const key = addressKey(peer);
    const now = this.#options.clock.now();
    const watch = new Watch(sender, now, receivedBefore, key, this.#watches);
    this.#watches.set(key, watch);
    this.#onWatch?.();
    return watch;
  }

  /** Looks and sweeps until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, threads = 1, residentBytes = () => Deno.memoryUsage().rss } = this.#options;
    let residentAtLook = residentBytes();
    this.#residentAtSweep = residentAtLook;
    let hasSuspects = false;
    let isQuiet = true;
    let of: number = SLICES.least;
    let nth = 0;
    try {
      // So often even a ticker's grid would be felt, and this needs none.
      for (let nextSliceAt = clock.now() + ROUND_MS / of;;) {
        if (this.#watches.size === 0) {
          await this.#firstWatch(signal);
          nextSliceAt = clock.now() + ROUND_MS / of;
        }
        await clock.sleep(LOOK_EVERY_MS, { signal, together: isQuiet });
        const resident = residentBytes();
        const growth = resident - residentAtLook;
        residentAtLook = resident;
        this.#residentAtSweep = Math.min(this.#residentAtSweep, resident);
        const usual = this.#watches.size * threads * USUAL_GROWTH_BYTES;
        if (hasSuspects || resident - this.#residentAtSweep > ALARMING_GROWTH_BYTES + usual) {
          this.#residentAtSweep = resident;
          hasSuspects = this.#sweep();
        } else if (clock.now() >= nextSliceAt) {
          nextSliceAt += ROUND_MS / of;
          hasSuspects = this.#sweep({ nth, of });
          nth += 1;
          if (nth === of) { // a round is over
            nth = 0;
            of = this.#slices;
          }
        }
        isQuiet = !hasSuspects && growth < TELLING_GROWTH_BYTES + usual;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Slices of a round. */
  get #slices(): number {
    const wanted = Math.ceil(this.#watches.size / SLICE_CONNECTIONS);
    return Math.min(SLICES.most, Math.max(SLICES.least, wanted));
  }

  async #firstWatch(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    using _stop = onAbort(signal, () => reject(signal.reason));
    this.#onWatch = resolve;
    try {
      await promise;
    } finally {
      this.#onWatch = undefined;
    }
  }

  /** Ends who is over for the second time; true if anybody is over for the first. */
  #sweep(slice?: Slice): boolean {
    const now = this.#options.clock.now();
    const over = new Map<string, { watch: Watch; excess: number }>();
    for (const [key, received] of this.#options.sockets.received(slice)) {
      const watch = this.#watches.get(key);
      if (watch === undefined) continue;
      const excess = account(watch, received, now) - this.#allowance(watch, now);
      if (excess > 0) over.set(key, { watch, excess });
      else watch.isSuspect = false;
    }
    if (over.size === 0) return false;
    const unread = this.#options.sockets.unread(new Set(over.keys()));
    let hasSuspects = false;
    for (const [key, { watch, excess }] of over) {
      if (excess <= (unread.get(key) ?? 0)) watch.isSuspect = false; // we have not read it yet
      else if (watch.isSuspect) this.#end(key, watch);
      else {
        watch.isSuspect = true;
        hasSuspects = true;
      }
    }
    return hasSuspects;
  }

  #allowance(watch: Watch, now: number): number {
    const control = (now - watch.accountedAt) / 1000 * CONTROL_BYTES_PER_SECOND;
    return this.#options.maxMessageBytes + OVERHEAD_BYTES + Math.min(MAX_CONTROL_BYTES, control);
  }

  #end(key: string, watch: Watch): void {
    this.#watches.delete(key);
    watch.sender.onEndless(watch.received - (watch.accounted ?? 0));
  }
}

/** Brings a watch up to date; returns the bytes that came and are not accounted for. */
function account(watch: Watch, received: number, now: number): number {
  const { deliveredBytes } = watch;
  if (watch.accounted === undefined) {
    watch.accounted = received;
    watch.received = received;
  }
  if (deliveredBytes > 0) {
    // A message came through since the last sweep: so all that came before that sweep was part of
    // it, or of ones before it.
    watch.accounted = watch.received + deliveredBytes;
    watch.accountedAt = now;
    watch.deliveredBytes = 0;
  }
  watch.received = received;
  return received - watch.accounted;
}
