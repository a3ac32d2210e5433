import { type Check, CheckFaults, ok, skipped } from "./check.ts";
import { isObject, type Json, shown } from "./shapes.ts";
import type { HeardFrame } from "./socket.ts";

/** Status frames of one channel that are kept to be compared with a snapshot. */
const MAX_KEPT = 200;

/** Judges whether `/snapshot` and the frames of a connection say the same. */
export class AgreementJudge {
  readonly #faults = new CheckFaults();
  readonly #frames = new Map<string, HeardFrame[]>();
  /** The last value of each channel that a snapshot called stale. */
  readonly #staleInSnapshot = new Map<string, Json>();
  #compared = 0;

  /** Takes a status frame. */
  note(heard: HeardFrame): void {
    const { type: channel, data } = heard.frame;
    const frames = this.#frames.get(channel) ?? [];
    this.#frames.set(channel, frames);
    frames.push(heard);
    if (frames.length > MAX_KEPT) frames.shift();
    const snapshot = this.#staleInSnapshot.get(channel);
    if (snapshot === undefined || !isObject(data) || data["is_stale"] !== false) return;
    const isOlder = data["cached_at"] === snapshot["cached_at"] &&
      Number(data["age_ms"]) > Number(snapshot["age_ms"]);
    if (isOlder) this.#faults.add(`"${channel}": a frame calls fresh what /snapshot called stale`);
  }

  /**
   * Compares a snapshot with the frames around it.
   *
   * @param askedAt When it was asked for, in monotonic milliseconds.
   * @returns Where they disagree, in words; a value may have changed on the way, so look again.
   */
  disagreements(snapshot: Json, askedAt: number): string[] {
    const found: string[] = [];
    for (const [channel, frames] of this.#frames) {
      const value = snapshot[channel];
      if (!isObject(value)) {
        found.push(`"${channel}" sends frames, but /snapshot has none of it`);
        continue;
      }
      const before = frames.findLast(({ at }) => at <= askedAt);
      const around = frames.filter((heard) => heard === before || heard.at > askedAt);
      const fault = compare(value, around.map(({ frame }) => frame.data).filter(isObject));
      if (fault) found.push(`"${channel}": ${fault}`);
      else if (value["is_stale"] === true) this.#staleInSnapshot.set(channel, value);
      this.#compared += 1;
    }
    return found;
  }

  /** Notes what was still so after looking again. */
  blame(disagreements: readonly string[]): void {
    for (const each of disagreements) this.#faults.add(each);
  }

  verdict(): Check {
    return this.#faults.verdict(
      "snapshot_agrees",
      this.#compared === 0
        ? skipped("snapshot_agrees", "nothing to compare: no status frame, or no /snapshot")
        : ok("snapshot_agrees", `${this.#compared} values compared`),
    );
  }
}

function compare(value: Json, frames: readonly Json[]): string | undefined {
  const text = JSON.stringify(value["data"]);
  const same = frames.filter(({ cached_at, data }) =>
    cached_at === value["cached_at"] && JSON.stringify(data) === text
  );
  const last = frames.at(-1);
  if (same.length === 0) {
    if (last === undefined) return undefined;
    return last["cached_at"] === value["cached_at"]
      ? `/snapshot has ${shown(value["data"])}, the frame ${shown(last["data"])}`
      : `/snapshot's cached_at is ${shown(value["cached_at"])}, the frame's ${
        shown(last["cached_at"])
      }`;
  }
  if (value["is_stale"] === false && same.every(({ is_stale }) => is_stale === true)) {
    return "/snapshot calls fresh what frames call stale";
  }
  return undefined;
}
