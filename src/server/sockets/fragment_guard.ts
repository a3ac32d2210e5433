import type { Slice } from "../../platform/libc.ts";
import { addressKey, type SocketAddress } from "../../platform/socket_address.ts";
import type { Clock } from "../../resilience/clock.ts";

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
  /** Resident memory of this process, in bytes. Default: as the runtime tells it. */
  residentBytes?: () => number;
}

/** A connection under watch; stop watching by disposing of it. */
export interface Watched extends Disposable {
  /** A message of this many bytes came through. */
  delivered(bytes: number): void;
}

/** How often memory is looked at, in milliseconds: cheap, and the only early sign there is. */
const LOOK_EVERY_MS = 20;
/**
 * Growth of memory since the last sweep that calls for the next one at once, in bytes: so much, and
 * for each connection what sending to it makes the heap rise and fall by, which is nobody's fault.
 */
const ALARMING_GROWTH_BYTES = 8 * 1024 * 1024;
const USUAL_GROWTH_BYTES = 4096;
/**
 * Without alarm, for those that send slowly, the connections are looked at slice by slice, all of
 * them in ten seconds: all at one go would hold up everybody's frames.
 */
const SLICES = 100;
const LOOKS_PER_SLICE = 5;
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
    return watch;
  }

  /** Looks and sweeps until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, residentBytes = () => Deno.memoryUsage().rss } = this.#options;
    this.#residentAtSweep = residentBytes();
    let hasSuspects = false;
    try {
      // Fifty times a second even a ticker's grid would be felt, and this needs none.
      for (let looks = 0;; await clock.sleep(LOOK_EVERY_MS, { signal })) {
        if (this.#watches.size === 0) continue;
        looks += 1;
        const resident = residentBytes();
        this.#residentAtSweep = Math.min(this.#residentAtSweep, resident);
        const alarming = ALARMING_GROWTH_BYTES + this.#watches.size * USUAL_GROWTH_BYTES;
        if (hasSuspects || resident - this.#residentAtSweep > alarming) {
          this.#residentAtSweep = resident;
          hasSuspects = this.#sweep();
        } else if (looks % LOOKS_PER_SLICE === 0) {
          hasSuspects = this.#sweep({ nth: looks / LOOKS_PER_SLICE % SLICES, of: SLICES });
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
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
