import { isErrorType } from "../../src/protocol/channel.ts";
import type { Breach } from "./invariants.ts";
import type { ResumePoint, Told } from "./journal.ts";

export interface FrameCheckOptions {
  /** When a channel's value was really given, in unix milliseconds; undefined if it never was. */
  givenAt: (channel: string, n: number) => number | undefined;
  /** How long a frame may be on its way, in milliseconds. Default: for ever. */
  longestWayMs?: number;
}

/** By how much an age may fall short of the truth, in milliseconds. */
const AGE_SLACK_MS = 1000;
/** Timestamps are whole seconds: a frame may have been made up to here after its own. */
const REST_OF_SECOND_MS = 999;
/** Enough to see what went wrong; more would only fill the screen. */
const BREACHES_KEPT = 20;

/**
 * What must hold of each frame of one client as it comes. Keeps no frames, unlike a journal: for
 * runs of millions of them.
 */
export class FrameCheck {
  /** Frames looked at, and those among them that call a value fresh, or stale. */
  checked = 0;
  fresh = 0;
  stale = 0;
  breachCount = 0;
  readonly breaches: Breach[] = [];
  /** The longest a frame was on its way, rounded down to seconds as timestamps are. */
  longestWayMs = 0;
  readonly #options: FrameCheckOptions;
  readonly #lanes = new Map<string, number>();
  readonly #values = new Map<string, { n: number; isStale: boolean }>();
  #resume: ResumePoint | undefined;
  #point: ResumePoint | undefined;
  #isWelcome = false;
  /** Number of the newest notification; undefined until one came, and after a gap. */
  #notification: number | undefined;

  constructor(options: FrameCheckOptions) {
    this.#options = options;
  }

  /** Where this client goes on when it comes again. */
  get resumePoint(): ResumePoint | undefined {
    return this.#point;
  }

  /** A new connection begins, with this said of the one before. */
  open(resume?: ResumePoint): void {
    this.#resume = resume;
    this.#isWelcome = false;
    this.#lanes.clear();
  }

  /** Looks at a frame that came just now: `at` is in unix milliseconds. */
  take(frame: Told & { readonly timestamp: number }): void {
    const { type, seq, data } = frame;
    this.checked += 1;
    if (type === "welcome") this.#welcome(data);
    else if (!this.#isWelcome) this.#breach(`the first frame is a ${type}`);
    if (seq !== undefined) this.#number(type, seq);
    if (type === "notification") this.#event(data["number"]);
    const n = data["data"]?.n;
    if (typeof n === "number" && "is_stale" in data) this.#value(frame, n);
    const way = frame.at - frame.timestamp * 1000 - REST_OF_SECOND_MS;
    this.longestWayMs = Math.max(this.longestWayMs, way);
    if (way > (this.#options.longestWayMs ?? Infinity)) {
      this.#breach(`${type} ${seq} was on its way for ${way} ms`);
    }
  }

  #welcome({ session, epoch, seq, recovered, gap }: Told["data"]): void {
    if (this.#isWelcome) this.#breach("a second welcome");
    this.#isWelcome = true;
    const resume = this.#resume;
    if (recovered && gap) this.#breach("recovered and a gap at once");
    if (resume && !recovered && !gap) this.#breach("resumed, but neither recovered nor a gap");
    if (!resume && (recovered || gap)) this.#breach("new, but recovered or a gap");
    if (recovered && resume?.epoch !== epoch) this.#breach("recovered from another epoch");
    if (!recovered) this.#notification = undefined;
    this.#point = { session, epoch, since: recovered ? resume?.since ?? seq : seq };
  }

  #number(type: string, seq: number): void {
    const lane = isErrorType(type) ? "errors" : type;
    const before = this.#lanes.get(lane) ?? 0;
    if (seq <= before) this.#breach(`${lane}: ${seq} after ${before}`);
    this.#lanes.set(lane, seq);
    if (this.#point) this.#point = { ...this.#point, since: seq };
  }

  #event(number: number): void {
    const before = this.#notification;
    if (before !== undefined && number !== before + 1) {
      this.#breach(`notification ${number} after ${before}, and no gap told`);
    }
    this.#notification = number;
  }

  #value({ type, data, timestamp, at }: Told & { readonly timestamp: number }, n: number): void {
    const { is_stale: isStale, age_ms: ageMs, error } = data;
    const before = this.#values.get(type);
    this.#values.set(type, { n, isStale });
    if (before && n < before.n) this.#breach(`${type}: value ${n} after ${before.n}`);
    if (isStale !== (error !== undefined)) this.#breach(`${type}: stale and error do not agree`);
    const givenAt = this.#options.givenAt(type, n);
    if (givenAt === undefined) {
      this.#breach(`${type}: value ${n} was never given`);
      return;
    }
    if (isStale) {
      this.stale += 1;
      return;
    }
    this.fresh += 1;
    if (before?.n === n && before.isStale) this.#breach(`${type}: ${n} fresh after it was stale`);
    const truth = Math.min(at, timestamp * 1000 + REST_OF_SECOND_MS) - givenAt;
    if (ageMs + AGE_SLACK_MS < truth) {
      this.#breach(
        `${type}: value ${n} is called fresh and ${ageMs} ms old, but is ${truth} ms old`,
      );
    }
  }

  #breach(breach: Breach): void {
    this.breachCount += 1;
    if (this.breaches.length < BREACHES_KEPT) this.breaches.push(breach);
  }
}
