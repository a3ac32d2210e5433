/** A frame as a client under fire got it, without the ballast of large values. */
export interface Told {
  readonly type: string;
  readonly seq?: number;
  // deno-lint-ignore no-explicit-any -- invariants look into whatever came
  readonly data: Record<string, any>;
  /** When it came, in unix milliseconds. */
  readonly at: number;
}

/** Where a client goes on. */
export interface ResumePoint {
  readonly session: string;
  readonly epoch: string;
  readonly since: number;
}

/** How a connection ended. */
export interface LifeEnd {
  readonly code: number;
  readonly clean: boolean;
}

/** What a journal consists of, one JSON text a line. */
export type Entry =
  | { readonly k: "open"; readonly resume?: ResumePoint; readonly batch: boolean }
  | { readonly k: "told"; readonly frames: readonly Told[] }
  /** The client is about to say goodbye. */
  | { readonly k: "left" }
  | { readonly k: "end"; readonly end: LifeEnd };

/** One connection of a client, from its first frame to its last. */
export interface Life {
  readonly resume: ResumePoint | undefined;
  readonly batch: boolean;
  readonly frames: Told[];
  hasLeft: boolean;
  /** Absent where the client was killed. */
  end: LifeEnd | undefined;
}

/** The lives of one client that goes on where it was, in order. */
export class Journal {
  readonly lives: Life[] = [];

  add(entry: Entry): void {
    if (entry.k === "open") {
      const { resume, batch } = entry;
      this.lives.push({ resume, batch, frames: [], hasLeft: false, end: undefined });
      return;
    }
    const life = this.lives.at(-1);
    if (life === undefined) throw new Error(`the journal begins with "${entry.k}"`);
    if (entry.k === "told") life.frames.push(...entry.frames);
    else if (entry.k === "left") life.hasLeft = true;
    else life.end ??= entry.end;
  }

  /**
   * Where a client with this journal resumes; undefined before its first welcome. As the contract
   * has it: the session of its last welcome, and the number of the last frame it got.
   */
  get resumePoint(): ResumePoint | undefined {
    let point: ResumePoint | undefined;
    for (const { frames } of this.lives) {
      for (const { type, seq, data } of frames) {
        if (type === "welcome") {
          const { session, epoch, seq: newest, recovered } = data;
          point = { session, epoch, since: recovered ? point?.since ?? newest : newest };
        } else if (seq !== undefined && point) point = { ...point, since: seq };
      }
    }
    return point;
  }
}

/** Reads what a client wrote; a last line that its death cut short does not count. */
export function readJournal(text: string): Journal {
  const journal = new Journal();
  for (const line of text.split("\n").slice(0, -1)) journal.add(JSON.parse(line));
  return journal;
}

/** The frames of one message, in order, without the ballast. */
export function framesOf(text: string, at: number): Told[] {
  const value = JSON.parse(text);
  return (Array.isArray(value) ? value : [value]).map(({ type, seq, data }) => {
    const { data: inner } = data;
    if (typeof inner === "object" && inner !== null && "padding" in inner) delete inner.padding;
    return { type, ...(seq === undefined ? {} : { seq }), data, at };
  });
}
