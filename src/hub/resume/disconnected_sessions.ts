import type { ErrorCode } from "../../protocol/error_event.ts";
import { DeliveryLog, type DeliveryRecord } from "./delivery_log.ts";

/** What is worth remembering of a client that has gone. */
export interface Memory {
  /** Why the hub ended it; absent where it did not. */
  readonly closedWith?: ErrorCode;
  readonly progress: DeliveryLog;
}

/** A client that left. */
export interface DepartedRecord {
  readonly session: string;
  readonly closedWith?: ErrorCode;
  readonly progress: DeliveryRecord;
  /** When it left, in monotonic milliseconds. */
  readonly at: number;
}

/** {@linkcode DisconnectedSessions} as plain data. */
export interface DisconnectedRecord {
  readonly departed: readonly DepartedRecord[];
  readonly forgottenUpTo: number;
}

/**
 * Clients remembered at one time. When full, the one that left first is forgotten: it is not told
 * why it was closed, and is told of a gap if its number alone does not say how far it had got.
 */
export const MAX_REMEMBERED = 4096;

/**
 * The clients that left in a way worth remembering, for when they come back. One that just went
 * takes no room here. Bounded by count and by age; pure.
 */
export class DisconnectedSessions {
  readonly #maxAgeMs: number;
  readonly #memories = new Map<string, { memory: Memory; at: number }>();
  readonly #onForgotten: (id: string) => void;
  #forgottenUpTo = -1;

  constructor(maxAgeMs: number, onForgotten: (id: string) => void = () => {}) {
    this.#maxAgeMs = maxAgeMs;
    this.#onForgotten = onForgotten;
  }

  get size(): number {
    return this.#memories.size;
  }

  /**
   * Up to this number, a client that is not remembered may have got less than its number says; -1
   * if there was none such.
   */
  get forgottenUpTo(): number {
    return this.#forgottenUpTo;
  }

  /**
   * Remembers a client that left; false if there is nothing about it to remember.
   *
   * @param now Monotonic milliseconds, here and below.
   */
  remember(id: string, memory: Memory, now: number): boolean {
    if (memory.closedWith === undefined && memory.progress.isPlain) return false;
    this.#memories.delete(id);
    this.#memories.set(id, { memory, at: now });
    this.#forgetOld(now);
    return true;
  }

  /** All of it as plain data, for another hub or another life of this one. */
  toRecord(): DisconnectedRecord {
    const departed = [...this.#memories].map(([session, { memory, at }]) => {
      const { closedWith, progress } = memory;
      return {
        session,
        at,
        progress: progress.toRecord(),
        ...(closedWith === undefined ? {} : { closedWith }),
      };
    });
    return { departed, forgottenUpTo: this.#forgottenUpTo };
  }

  /** Puts back what was remembered, and what was forgotten, by another hub or in an earlier life. */
  restore({ departed, forgottenUpTo }: DisconnectedRecord): void {
    this.#forgottenUpTo = forgottenUpTo;
    for (const { session, closedWith, progress, at } of departed.toSorted((a, b) => a.at - b.at)) {
      const memory = {
        progress: DeliveryLog.fromRecord(progress),
        ...(closedWith === undefined ? {} : { closedWith }),
      };
      this.#memories.set(session, { memory, at });
    }
  }

  recall(id: string, now: number): Memory | undefined {
    this.#forgetOld(now);
    return this.#memories.get(id)?.memory;
  }

  /** Another numbering begins: how far anyone had got in the old one says nothing any more. */
  renumber(): void {
    this.#forgottenUpTo = -1;
    for (const [id, { memory: { closedWith }, at }] of this.#memories) {
      if (closedWith === undefined) {
        this.#memories.delete(id);
        continue;
      }
      const progress = new DeliveryLog({ events: 0, errors: 0 });
      this.#memories.set(id, { memory: { closedWith, progress }, at });
    }
  }

  #forgetOld(now: number): void {
    for (const [oldest, { memory, at }] of this.#memories) {
      if (this.#memories.size <= MAX_REMEMBERED && now - at <= this.#maxAgeMs) break;
      this.#memories.delete(oldest);
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, memory.progress.highestOutOfTurn);
      this.#onForgotten(oldest);
    }
  }
}
