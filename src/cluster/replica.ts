import type { ErrorEvent } from "../protocol/error_event.ts";
import { type Clock, momentOf } from "../resilience/clock.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Broadcast } from "./entry.ts";

export interface ReplicaOptions {
  clock: Clock;
  values: ValueStore;
  /** Whether this hub has a status channel of this name. */
  isKnown: (channel: string) => boolean;
  /** Whether this hub's own polls said this: what it means to values they have seen to. */
  isOwn?: (broadcast: Broadcast) => boolean;
}

/** What an error may say of values. */
type About = Partial<Pick<ErrorEvent, "details">> & {
  readonly data?: { readonly backend?: string; readonly channel?: string };
};

/**
 * Writes what the shared stream says of values into the store of values, in the stream's order: a
 * value whose hub fell silent grows old here as it would have there.
 */
export class Replica {
  readonly #options: ReplicaOptions;
  /** Number of the newest value of each channel. */
  readonly #newest = new Map<string, number>();
  /** Backends whose breaker was heard to open and not yet to close. */
  readonly #out = new Set<string>();

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  /** Backends that clients were told are not polled, and not yet that they are again. */
  get backendsOut(): ReadonlySet<string> {
    return this.#out;
  }

  /**
   * Takes note of a broadcast of the stream, or of what is kept beside it: one that is older than
   * what is known changes nothing.
   */
  hear(seq: number, broadcast: Broadcast): void {
    const { status, code, data } = broadcast;
    if (status !== undefined) this.#hearValue(seq, broadcast, status);
    else if (code !== undefined) this.#hearError(seq, broadcast, JSON.parse(data));
  }

  /** Takes note of an error that this hub's polls found while it is alone. */
  note({ code, data }: ErrorEvent): void {
    const backend = data?.backend;
    if (typeof backend === "string") this.#noteBackend(code, backend);
  }

  /** What comes next is another stream, in which the numbers of this one say nothing. */
  renumber(): void {
    for (const channel of this.#newest.keys()) this.#newest.set(channel, 0);
  }

  #hearValue(
    seq: number,
    { type: channel, data: text, called_ms, valid_for_ms, said }: Broadcast,
    { is_stale, cached_at, age_ms, error }: NonNullable<Broadcast["status"]>,
  ): void {
    const { clock, values, isKnown } = this.#options;
    if (!isKnown(channel) || (this.#newest.get(channel) ?? -1) >= seq) return;
    this.#newest.set(channel, seq);
    const { monotonicMs } = momentOf(clock);
    values.put(channel, {
      text,
      // It was so old when it was written; the wall clock may say that it is older by now.
      calledAt: { monotonicMs: monotonicMs - age_ms, unixMs: called_ms ?? cached_at * 1000 },
      origin: "stream",
      ...(valid_for_ms === undefined ? {} : { validForMs: valid_for_ms }),
      // Its age this hub can tell by itself.
      ...(is_stale && error?.code !== "PUBLISHER_SILENT"
        ? { doubt: error?.details ?? "it was stale where it comes from" }
        : {}),
      isLate: said !== undefined,
    });
  }

  #hearError(seq: number, broadcast: Broadcast, { details, data: about }: About): void {
    const { values, isOwn = () => false } = this.#options;
    const { code } = broadcast;
    const { channel, backend } = about ?? {};
    if (code !== undefined && backend !== undefined) this.#noteBackend(code, backend);
    if (isOwn(broadcast)) return;
    if (code === "CIRCUIT_OPEN" && backend !== undefined) {
      for (const fed of values.fedBy(backend)) {
        this.#doubt(fed, seq, `backend "${backend}" is not answering`, { keepsReason: true });
      }
    } else if ((code === "RPC_FAILURE" || code === "JSON_MARSHAL_ERROR") && channel !== undefined) {
      this.#doubt(channel, seq, details ?? "the last poll failed");
    }
  }

  #noteBackend(code: string, backend: string): void {
    if (code === "CIRCUIT_OPEN") this.#out.add(backend);
    if (code === "RPC_RECOVERED") this.#out.delete(backend);
  }

  /** Whatever was given before this number may be true no more. */
  #doubt(channel: string, seq: number, why: string, options?: { keepsReason: boolean }): void {
    if ((this.#newest.get(channel) ?? -1) > seq || !this.#options.isKnown(channel)) return;
    this.#options.values.doubt(channel, why, options);
  }
}
