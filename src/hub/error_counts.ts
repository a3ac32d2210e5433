import type { ErrorCode } from "../protocol/error_event.ts";

/** What a hub has counted since it began, as `/status` shows it. */
export interface ErrorMetrics {
  /** Clients connected now. */
  readonly total_clients: number;
  /** Error events told to clients, to all or to one. */
  readonly error_count: number;
  readonly slow_client_drops: number;
  /** Connections that broke without a closing handshake. */
  readonly read_errors: number;
  /** Frames that could not be written when they were handed over. */
  readonly write_errors: number;
  readonly errors_by_code: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** Counts errors by code. */
export class ErrorCounts {
  readonly #byCode = new Map<ErrorCode, number>();
  #total = 0;

  add(code: ErrorCode): void {
    this.#total += 1;
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
  }

  get total(): number {
    return this.#total;
  }

  byCode(): Partial<Record<ErrorCode, number>> {
    return Object.fromEntries(this.#byCode);
  }
}
