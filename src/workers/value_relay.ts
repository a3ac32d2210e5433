import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { ValueCopy } from "../values/value.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { ToThread } from "./messages.ts";

/** A value that seems older by less than this is as old as it was: the two clocks count differently. */
const SAME_AGE_MS = 5;

/** Tells the threads of values, whenever anything is otherwise about one. */
export class ValueRelay implements Disposable {
  readonly #values: ValueStore;
  readonly #subscription: Disposable;
  /** What the threads have. */
  readonly #told = new Map<string, ValueCopy>();

  /** @param post Sends a message to all threads, with the length of its texts. */
  constructor(values: ValueStore, post: (message: ToThread, chars: number) => void) {
    this.#values = values;
    this.#subscription = values.subscribe({
      onLooked: (channel) => {
        const copy = values.copy(channel);
        const told = this.#told.get(channel);
        if (copy === undefined || (told !== undefined && isSame(told, copy))) return;
        this.#told.set(channel, copy);
        post({ kind: "copy", copy }, copy.text.length);
      },
      onStanding: ({ channel, standing }) => {
        if (standing !== "retired") return;
        this.#told.delete(channel);
        post({ kind: "retired", channel }, 0);
      },
    });
  }

  /** All values there are, for a thread that begins. */
  all(): ValueCopy[] {
    return this.#values.channels().flatMap((channel) => {
      const copy = this.#values.copy(channel);
      if (copy !== undefined) this.#told.set(channel, copy);
      return copy ?? [];
    });
  }

  /** A status without its text where the threads have that. */
  lean(channel: string, { data, ...status }: StatusData<JsonText>) {
    return this.#told.get(channel)?.text === data ? status : { ...status, data };
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}

function isSame(one: ValueCopy, other: ValueCopy): boolean {
  return one.text === other.text && one.revision === other.revision &&
    one.doubt === other.doubt && one.validForMs === other.validForMs &&
    one.settings === other.settings && one.began.unixMs === other.began.unixMs &&
    Math.abs(one.began.monotonicMs - other.began.monotonicMs) < SAME_AGE_MS;
}
