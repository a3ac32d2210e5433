import type { KeptUnsaid, UnsaidKeeper } from "../../cluster/unsaid.ts";
import type { Change } from "../../state/change.ts";
import type { State } from "../../state/state.ts";
import { bodiesOf, change } from "./records.ts";

/** Has kept what the hub took while it was alone, until the others have it; and gives back what was. */
export class UnsaidRecords implements UnsaidKeeper {
  readonly past: readonly KeptUnsaid[];
  readonly #write: (changes: Change[]) => void;
  /** By id, the key of each: they are said in the order in which they came. */
  readonly #keys = new Map<string, string>();
  readonly #records = new Map<string, KeptUnsaid>();
  #count = 0;

  constructor({ past }: Pick<State, "past">, write: (changes: Change[]) => void) {
    this.#write = write;
    const bodies = bodiesOf<KeptUnsaid>(past.kept, "unsaid");
    for (const [key, record] of bodies) {
      this.#keys.set(record.id, key);
      this.#records.set(record.id, record);
      this.#count = Math.max(this.#count, Number(key));
    }
    this.past = [...bodies.values()];
  }

  keep(record: KeptUnsaid): void {
    const key = String(++this.#count).padStart(16, "0");
    this.#keys.set(record.id, key);
    this.#records.set(record.id, record);
    this.#write([change("unsaid", key, record)]);
  }

  forget(id: string): void {
    const key = this.#keys.get(id);
    if (key === undefined) return;
    this.#keys.delete(id);
    this.#records.delete(id);
    this.#write([change("unsaid", key, undefined)]);
  }

  /** All there is, should the store have to begin anew. */
  all(): Change[] {
    return [...this.#records].map(([id, record]) =>
      change("unsaid", this.#keys.get(id) ?? id, record)
    );
  }
}
