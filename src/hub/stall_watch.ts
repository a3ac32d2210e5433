import type { Transport } from "./transport.ts";

/**
 * Tells how long a client has taken nothing although something waits for it.
 *
 * There is no event for "the peer took bytes": the only sign is that the transport's buffered
 * bytes shrink between two looks. Bytes the operating system still holds count as taken, which is
 * why the hub bounds those too (see `src/platform`).
 */
export class StallWatch {
  readonly #transport: Transport;
  #buffered = 0;
  #progressAt: number;

  /** @param now Monotonic milliseconds, here and below. */
  constructor(transport: Transport, now: number) {
    this.#transport = transport;
    this.#progressAt = now;
  }

  /**
   * Call before handing over a frame: an idle client's time starts with it.
   *
   * @returns Whether the client had taken everything.
   */
  beforeSend(now: number): boolean {
    const buffered = this.#transport.bufferedBytes;
    if (buffered === 0 || buffered < this.#buffered) this.#progressAt = now;
    return buffered === 0;
  }

  /** Call after handing over a frame. */
  afterSend(): void {
    this.#buffered = this.#transport.bufferedBytes;
  }

  /** Looks at the transport and says for how many milliseconds nothing was taken. */
  stalledForMs(now: number): number {
    const buffered = this.#transport.bufferedBytes;
    // Time taken back is not credit: who moved on just after a standstill has no more than others.
    const isAhead = this.#progressAt > now;
    if (buffered === 0 || buffered < this.#buffered || isAhead) this.#progressAt = now;
    this.#buffered = buffered;
    return now - this.#progressAt;
  }

  /** Takes back `ms` milliseconds in which this process itself stood still. */
  forgive(ms: number): void {
    this.#progressAt += ms;
  }
}
