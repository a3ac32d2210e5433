import type { Path } from "../tree.ts";

/** Where one member of an object or list stands in a text, as offsets. */
export interface MemberOffsets {
  /** Of its key; of its value where it has none. */
  readonly key: number;
  readonly value: number;
}

/** A place in a text; both count from 1. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/**
 * Where the members of objects and lists stand in the text they were read from. Kept beside the
 * values, by the identity of what holds them, so that values are plain data.
 */
export class Positions {
  readonly #members = new WeakMap<object, Map<string, MemberOffsets>>();
  readonly #lineStarts: readonly number[];

  /** @param text What the offsets count in. */
  constructor(text: string) {
    const starts = [0];
    for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
    this.#lineStarts = starts;
  }

  /** Notes where a member of a container stands. */
  note(container: object, step: string | number, offsets: MemberOffsets): void {
    let members = this.#members.get(container);
    if (members === undefined) this.#members.set(container, members = new Map());
    members.set(String(step), offsets);
  }

  /** A copy of a container stands where the container does. */
  copied(container: object, copy: object): void {
    const members = this.#members.get(container);
    if (members !== undefined) this.#members.set(copy, new Map(members));
  }

  /** A member is called otherwise from now on, and stands where it stood. */
  renamed(container: object, from: string, to: string): void {
    const members = this.#members.get(container);
    const offsets = members?.get(from);
    if (offsets !== undefined) members?.set(to, offsets);
  }

  /** A container has a member that another one has, too. */
  adopted(from: object, container: object, step: string): void {
    const offsets = this.#members.get(from)?.get(step);
    if (offsets !== undefined) this.note(container, step, offsets);
  }

  /**
   * Where a path leads to: to the value there, or to its key. Where nothing stands, to the nearest
   * container on the way that does; undefined where not even that is known.
   */
  locate(root: unknown, path: Path, what: "key" | "value"): LineColumn | undefined {
    let container = root;
    let found: MemberOffsets | undefined;
    for (const step of path) {
      if (typeof container !== "object" || container === null) break;
      const offsets = this.#members.get(container)?.get(String(step));
      if (offsets === undefined) {
        return found && this.lineColumn(found.key);
      }
      found = offsets;
      container = Object.hasOwn(container, step)
        ? (container as Record<string | number, unknown>)[step]
        : undefined;
    }
    return found && this.lineColumn(what === "key" ? found.key : found.value);
  }

  lineColumn(offset: number): LineColumn {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }
}
