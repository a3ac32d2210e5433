/** Judges of what comes with time: heartbeats, sequence numbers, the hub's clock. */
import { channelKind, RESERVED_TYPES } from "../../protocol/channel.ts";
import { type Check, CheckFaults, ok, skipped } from "./check.ts";
import { isObject, isUnixSeconds } from "./shapes.ts";
import type { HeardFrame } from "./socket.ts";

/** The least slack a heartbeat is given, in milliseconds: networks and machines get busy. */
const LEAST_SLACK_MS = 1000;

/** Judges whether heartbeats come as promised. */
export class HeartbeatJudge {
  readonly #everyMs: number;
  readonly #faults = new CheckFaults();
  readonly #startedAt: number;
  #lastAt: number;
  #beats = 0;
  #longestMs = 0;

  /** @param startedAt Monotonic milliseconds of the welcome. */
  constructor(everyMs: number, startedAt: number) {
    this.#everyMs = everyMs;
    this.#startedAt = startedAt;
    this.#lastAt = startedAt;
  }

  note(at: number): void {
    this.#beats += 1;
    this.#gap(at);
    this.#lastAt = at;
  }

  verdict(now: number): Check {
    const ms = now - this.#startedAt;
    const every = `every ${this.#everyMs} ms were promised`;
    if (this.#beats === 0 && ms < this.#everyMs + this.#slackMs) {
      return skipped("heartbeat", `none yet in ${Math.round(ms)} ms; ${every}: try a longer --for`);
    }
    this.#gap(now);
    const most = Math.ceil(ms / this.#everyMs) + 2;
    if (this.#beats > most) {
      this.#faults.add(`${this.#beats} in ${Math.round(ms)} ms; ${every}`);
    }
    const seen = `${this.#beats} in ${Math.round(ms)} ms, at most ${
      Math.round(this.#longestMs)
    } ms apart; ${every}`;
    return this.#faults.verdict("heartbeat", ok("heartbeat", seen));
  }

  get #slackMs(): number {
    return Math.max(LEAST_SLACK_MS, this.#everyMs / 2);
  }

  #gap(at: number): void {
    const ms = at - this.#lastAt;
    if (this.#beats > 1) this.#longestMs = Math.max(this.#longestMs, ms);
    if (ms <= this.#everyMs + this.#slackMs) return;
    this.#faults.add(`none for ${Math.round(ms)} ms; every ${this.#everyMs} ms were promised`);
  }
}

/** Numbers remembered to find one that comes twice. */
const MAX_REMEMBERED = 10_000;

/**
 * Judges sequence numbers. Errors and heartbeats may overtake events, and both may overtake
 * values, so that numbers rise within each of those lanes.
 */
export class SeqJudge {
  #start: number;
  readonly #faults = new CheckFaults();
  readonly #last = new Map<string, number>();
  readonly #seen = new Set<number>();
  #highest: number;

  /** @param start The welcome's `seq`. */
  constructor(start: number) {
    this.#start = start;
    this.#highest = start;
  }

  /** The highest number seen; the welcome's before any other. */
  get highest(): number {
    return this.#highest;
  }

  /** The numbers begin anew, behind this one: several hubs share a stream, or do no longer. */
  restart(start: number): void {
    this.#start = start;
    this.#highest = start;
    this.#last.clear();
    this.#seen.clear();
  }

  note({ frame: { type, seq, data } }: HeardFrame): void {
    if ((RESERVED_TYPES as readonly string[]).includes(type)) return; // no broadcasts
    if (typeof seq !== "number" || !Number.isSafeInteger(seq)) {
      // Hubs that share a stream have numbers only for what all of them say.
      const isClusters = isObject(data) && "cluster_clients_connected" in data;
      if (type === "heartbeat" && !isClusters) {
        this.#faults.add("heartbeat: is a broadcast and has no seq");
      }
      return;
    }
    if (seq <= this.#start) {
      this.#faults.add(`${type}: seq ${seq} is not above the welcome's ${this.#start}`);
    }
    const kind = channelKind(type);
    const lane = kind === "status" ? type : kind;
    const before = this.#last.get(lane) ?? -Infinity;
    if (seq < before) this.#faults.add(`${type}: seq ${seq} came after ${before}`);
    if (this.#seen.has(seq)) this.#faults.add(`${type}: seq ${seq} came twice`);
    this.#last.set(lane, Math.max(seq, before));
    this.#highest = Math.max(this.#highest, seq);
    this.#seen.add(seq);
    if (this.#seen.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }

  verdict(): Check {
    const { size } = this.#seen;
    return this.#faults.verdict(
      "seq",
      size === 0
        ? skipped("seq", "no broadcast came")
        : ok("seq", `${size} broadcasts, ${this.#start} -> ${this.#highest}`),
    );
  }
}

/** How far the hub's clock may be from this machine's, in seconds. */
const MAX_OFFSET_SECONDS = 5;

/** Judges whether the times of frames are those of this machine. */
export class ClockJudge {
  readonly #faults = new CheckFaults();
  #frames = 0;
  #worst = 0;

  note({ frame: { type, timestamp }, wallSeconds }: HeardFrame): void {
    if (!isUnixSeconds(timestamp)) return;
    this.#frames += 1;
    const offset = timestamp - wallSeconds;
    if (Math.abs(offset) > Math.abs(this.#worst)) this.#worst = offset;
    if (Math.abs(offset) <= MAX_OFFSET_SECONDS) return;
    const side = offset > 0 ? "ahead of" : "behind";
    this.#faults.add(`${type}: ${Math.abs(offset)} s ${side} this machine's clock`);
  }

  verdict(): Check {
    return this.#faults.verdict(
      "clock",
      this.#frames === 0
        ? skipped("clock", "no frame came")
        : ok("clock", `at most ${Math.abs(this.#worst)} s apart, told in whole seconds`),
    );
  }
}
