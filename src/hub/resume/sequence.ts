/** An epoch, and how far it has come. */
export interface StreamPosition {
  readonly epoch: string;
  /** The newest number given out; 0 before the first. */
  readonly seq: number;
}

/**
 * How broadcasts are numbered. A hub by itself counts its own, in an epoch that is its life. One
 * of several that share a stream takes the numbers the stream gives, which are the same on every
 * hub; what it says on its own account then has none, for the others do not say it.
 */
export class Sequence {
  #position: StreamPosition;
  #isShared = false;
  readonly #isKept: boolean;
  readonly #onNumber: () => void;

  /**
   * @param options `isKept`: the hub's own epoch goes on after this process. `from`: where an earlier
   * one has come to. Default: a new epoch, for this process alone. `onNumber`: told of each number of
   * its own before anybody sees it.
   */
  constructor(
    { isKept = false, from, onNumber = () => {} }: {
      isKept?: boolean;
      from?: StreamPosition;
      onNumber?: () => void;
    } = {},
  ) {
    this.#isKept = isKept;
    this.#onNumber = onNumber;
    this.#position = from ?? { epoch: crypto.randomUUID(), seq: 0 };
  }

  /** Names the numbering; numbers of different epochs cannot be compared. */
  get epoch(): string {
    return this.#position.epoch;
  }

  get seq(): number {
    return this.#position.seq;
  }

  /** Whether numbers come from a stream that other hubs follow as well. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /**
   * Whether an epoch outlives what this hub remembers of its clients: they may name their numbers
   * to another hub, which then have to speak for themselves.
   */
  get outlivesMemory(): boolean {
    return this.#isShared || this.#isKept;
  }

  /** Where it stands, after which number. */
  get position(): StreamPosition {
    return this.#position;
  }

  /** The number of the hub's next own broadcast; undefined while it has none to give. */
  next(): number | undefined {
    if (this.#isShared) return undefined;
    const { epoch, seq } = this.#position;
    this.#position = { epoch, seq: seq + 1 };
    this.#onNumber();
    return seq + 1;
  }

  /** The shared stream has come to this number. */
  reach(seq: number): void {
    this.#position = { epoch: this.#position.epoch, seq };
  }

  /** Takes numbers from a shared stream from now on, which stands at this position. */
  share(position: StreamPosition): void {
    this.#position = position;
    this.#isShared = true;
  }

  /** Counts by itself again: in a new epoch, unless another hub says in which. */
  standAlone(position: StreamPosition = { epoch: crypto.randomUUID(), seq: 0 }): void {
    this.#position = position;
    this.#isShared = false;
  }
}
