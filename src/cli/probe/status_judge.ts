import { ERROR_CODES, ERRORS } from "../../protocol/error_event.ts";
import { type Check, CheckFaults, ok, skipped } from "./check.ts";
import { errorFaults, isObject, type Json, shown, statusFaults } from "./shapes.ts";
import type { HeardFrame } from "./socket.ts";

/** What is remembered of a channel's last frame. */
interface ProbedValue {
  readonly cachedAt: number;
  readonly ageMs: number;
  readonly isStale: boolean;
  /** When this `cached_at` was first seen, in monotonic milliseconds. */
  readonly firstAt: number;
}

/**
 * How far `age_ms` may be from what `cached_at` says, in milliseconds: both moments are told in
 * whole seconds, so that a second is lost in each, and clocks are adjusted.
 */
const TOLERANCE_MS = 2500;

/**
 * Judges whether status frames tell the truth about their age, as far as one connection can see:
 * against the frame's own time, against the frame before, and against the time that has passed.
 */
export class StatusJudge {
  readonly #faults = new CheckFaults();
  readonly #seen = new Map<string, ProbedValue>();
  #fresh = 0;
  #stale = 0;

  /** Takes a status frame. */
  note({ frame, at }: HeardFrame): void {
    const { type: channel, timestamp, data } = frame;
    if (!isObject(data) || statusFaults(data).length > 0) return; // told elsewhere
    const { is_stale: isStale, cached_at, age_ms } = data;
    const cachedAt = Number(cached_at);
    const ageMs = Number(age_ms);
    if (isStale) this.#stale += 1;
    else this.#fresh += 1;
    for (const fault of reasonFaults(data)) this.#faults.add(`${channel}: ${fault}`);
    for (const fault of ageFaults({ cachedAt, ageMs }, Number(timestamp))) {
      this.#faults.add(`${channel}: ${fault}`);
    }
    const before = this.#seen.get(channel);
    const isSame = before?.cachedAt === cachedAt;
    const firstAt = isSame ? before.firstAt : at;
    if (before) {
      const now = { cachedAt, ageMs, isStale: isStale === true, firstAt };
      for (const fault of changeFaults(before, now, at)) this.#faults.add(`${channel}: ${fault}`);
    }
    this.#seen.set(channel, { cachedAt, ageMs, isStale: isStale === true, firstAt });
  }

  verdict(): Check {
    const { size } = this.#seen;
    const frames = this.#fresh + this.#stale;
    return this.#faults.verdict(
      "staleness",
      frames === 0
        ? skipped("staleness", "no status frame came")
        : ok("staleness", `${this.#fresh} fresh and ${this.#stale} stale frames, ${size} channels`),
    );
  }
}

/** A stale value says why, a fresh one has nothing to explain. */
function reasonFaults({ is_stale, error }: Json): string[] {
  if (!is_stale) {
    return error === undefined ? [] : ["called fresh, and yet it has an error"];
  }
  if (!isObject(error)) return [`called stale with the error ${shown(error)}`];
  const { code } = error;
  return STALE_CODES.some((each) => each === code)
    ? errorFaults(error).map((fault) => `its error: ${fault}`)
    : [`called stale with the code ${shown(code)}, not ${STALE_CODES.join(" or ")}`];
}

/** The codes that live inside status frames. */
const STALE_CODES = ERROR_CODES.filter((code) => ERRORS[code].type === "inside_status");

function ageFaults(
  { cachedAt, ageMs }: Pick<ProbedValue, "cachedAt" | "ageMs">,
  timestamp: number,
): string[] {
  if (Number.isNaN(timestamp)) return [];
  if (cachedAt > timestamp + 1) {
    return [`cached_at lies ${cachedAt - timestamp} s in the frame's own future`];
  }
  const byCachedAt = (timestamp - cachedAt) * 1000;
  if (Math.abs(byCachedAt - ageMs) <= TOLERANCE_MS) return [];
  return [`age_ms is ${Math.round(ageMs)}, but cached_at was ${byCachedAt} ms before the frame`];
}

function changeFaults(before: ProbedValue, now: ProbedValue, at: number): string[] {
  if (now.cachedAt < before.cachedAt - 1) {
    return [`cached_at went back by ${before.cachedAt - now.cachedAt} s`];
  }
  if (now.cachedAt !== before.cachedAt) return [];
  const faults: string[] = [];
  if (before.isStale && !now.isStale && now.ageMs > before.ageMs) {
    faults.push("called fresh again although no newer value came");
  }
  const atLeastMs = at - now.firstAt;
  if (now.ageMs < atLeastMs - TOLERANCE_MS) {
    faults.push(
      `age_ms is ${Math.round(now.ageMs)}, but the same cached_at came ${
        Math.round(atLeastMs)
      } ms ago`,
    );
  }
  return faults;
}
