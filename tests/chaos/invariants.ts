/** What must hold of all a client was told, whatever happened meanwhile. Pure. */
import { isErrorType } from "../../src/protocol/channel.ts";
import type { Facts } from "./facts.ts";
import type { Journal, Life, Told } from "./journal.ts";

/** A broken promise, in words. */
export type Breach = string;

/** Everything that can be said of one client by its journal and the facts alone. */
export function breachesIn(journal: Journal, facts: Facts): Breach[] {
  return [
    ...journal.lives.flatMap((life) => [...welcomeFirst(life), ...lanesAscend(life)]),
    ...neverOlderAfterNewer(journal),
    ...freshIsFresh(journal, facts),
    ...everyEventOnce(journal, facts),
    ...noErrorTwice(journal),
  ];
}

/** The welcome comes first and once; a wrong epoch is a gap; what is recovered has none. */
function* welcomeFirst(life: Life): Generator<Breach> {
  const { frames, resume } = life;
  const [first] = frames;
  if (first === undefined) return; // killed on the way in
  if (first.type !== "welcome") yield `the first frame is a ${first.type}`;
  if (frames.filter(({ type }) => type === "welcome").length > 1) yield "a second welcome";
  const { recovered, gap, epoch } = first.data;
  if (recovered && gap) yield "recovered and a gap at once";
  if (resume && !recovered && !gap) yield "a resumed client is told neither recovered nor gap";
  if (!resume && (recovered || gap)) yield "a new client is told recovered or gap";
  if (resume && resume.epoch !== epoch && !gap) yield "no gap though the epoch is another";
}

/** Within its lane (errors, heartbeats, events, each channel's values) `seq` only grows. */
function* lanesAscend(life: Life): Generator<Breach> {
  const last = new Map<string, number>();
  for (const { type, seq } of life.frames) {
    if (seq === undefined) continue;
    const lane = isErrorType(type) ? "errors" : type;
    const before = last.get(lane) ?? 0;
    if (seq <= before) yield `${lane}: ${seq} after ${before}`;
    last.set(lane, seq);
  }
}

/**
 * For a client nothing ever had to wait for long: `seq` grows over all lanes. Errors and heartbeats
 * go ahead of the rest, and may do so within one turn.
 */
export function* allAscends({ frames }: Life): Generator<Breach> {
  let before = 0;
  for (const { type, seq } of frames) {
    if (seq === undefined || isErrorType(type) || type === "heartbeat") continue;
    if (seq <= before) yield `${type} ${seq} came after ${before}`;
    before = seq;
  }
}

/** No value older than one shown before on its channel, nor one called fresh again after stale. */
function* neverOlderAfterNewer(journal: Journal): Generator<Breach> {
  const newest = new Map<string, { n: number; isStale: boolean }>();
  for (const { type, data } of journal.lives.flatMap(({ frames }) => frames)) {
    const n = valueOf(data);
    if (n === undefined) continue;
    const { is_stale: isStale } = data;
    const before = newest.get(type);
    if (before && n < before.n) yield `${type}: value ${n} after ${before.n}`;
    if (before && n === before.n && before.isStale && !isStale) {
      yield `${type}: value ${n} fresh after it was stale`;
    }
    if (isStale !== (data.error !== undefined)) yield `${type}: stale and error do not agree`;
    newest.set(type, { n, isStale });
  }
}

/** A value called fresh is one the backend gave, and gave after the last failure told of it. */
function* freshIsFresh(journal: Journal, facts: Facts): Generator<Breach> {
  for (const { frames, resume } of journal.lives) {
    const welcomed = frames[0]?.data.seq ?? 0;
    // A client that is sent what it missed is welcomed where it had been: that dates no value.
    const joinedAt = welcomed === resume?.since ? undefined : welcomed;
    for (const { type, seq = joinedAt, data } of frames) {
      const n = valueOf(data);
      if (n === undefined) continue;
      const given = facts.given.get(n);
      if (given === undefined || given.method !== facts.methods.get(type)) {
        yield `${type}: value ${n} was never given`;
        continue;
      }
      if (data.is_stale || seq === undefined) continue;
      const failure = lastBefore(facts, type, seq);
      if (failure && given.at < failure.at) {
        yield `${type}: value ${n} (seq ${seq}) is fresh, but was given ` +
          `${failure.at - given.at} ms before the failure told as ${failure.seq}`;
      }
      if (facts.outages.some(({ from, until }) => from < seq && seq < until)) {
        yield `${type}: value ${n} (seq ${seq}) is fresh while the breaker is open`;
      }
    }
  }
}

/** Each numbered notification exactly once and in order, except where a gap was admitted. */
function* everyEventOnce(journal: Journal, facts: Facts): Generator<Breach> {
  const numbers = [...facts.published.keys()].sort((a, b) => a - b);
  /** From this sequence number on nothing may be missing. */
  let since: number | undefined;
  let due: number[] = [];
  let newest = 0;
  for (const life of journal.lives) {
    const [welcome] = life.frames;
    if (welcome?.type !== "welcome") continue;
    if (since === undefined || welcome.data.gap) {
      since = Number(welcome.data.seq);
      const from = since;
      due = numbers.filter((number) => (facts.published.get(number) ?? 0) > from);
    }
    for (const { type, data } of life.frames) {
      if (type !== "notification") continue;
      const { number } = data;
      if (number <= newest) yield `notification ${number} after ${newest}`;
      newest = Math.max(newest, number);
      const [expected] = due;
      if (expected === undefined || number < expected) continue;
      if (number > expected) yield `notification ${expected} is missing before ${number}`;
      while (due[0] !== undefined && due[0] <= number) due.shift();
    }
  }
  const last = journal.lives.at(-1);
  const [missing] = due;
  if (last && isToldOfShutdown(last) && missing !== undefined) {
    yield `notification ${missing} and ${due.length - 1} more never came`;
  }
}

/** No error told to everybody reaches one client twice. */
function* noErrorTwice(journal: Journal): Generator<Breach> {
  const had = new Set<number>();
  for (const { type, seq } of journal.lives.flatMap(({ frames }) => frames)) {
    if (seq === undefined || !isErrorType(type)) continue;
    if (had.has(seq)) yield `error ${seq} came twice`;
    had.add(seq);
  }
}

/** Whether this client was told that the hub goes down; what waited for it may have come after. */
export function isToldOfShutdown({ frames }: Life): boolean {
  return frames.some(({ data }) => data.code === "SERVER_SHUTDOWN");
}

/** The longest time without a heartbeat while connected, in milliseconds. */
export function longestSilenceMs({ frames }: Life): number {
  const times = frames.filter(({ type }) => type === "heartbeat").map(({ at }) => at);
  return times.reduce((most, at, nth) => Math.max(most, at - (times[nth - 1] ?? at)), 0);
}

/** The clients somebody was told were lost, by code; one that was told twice appears twice. */
export function lossesIn(frames: readonly Told[]): { code: string; id: string }[] {
  return frames.filter(({ type, seq }) => type === "connection_error" && seq !== undefined)
    .flatMap(({ data: { code, data } }) =>
      (data.client_ids ?? [data.client_id]).map((id: string) => ({ code, id }))
    );
}

/** How often each code was told: losses count one by one, frames of one's own as well. */
export function codesIn(lives: readonly Life[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { data: { code, data } } of lives.flatMap(({ frames }) => frames)) {
    if (typeof code === "string") counts[code] = (counts[code] ?? 0) + (data?.count ?? 1);
  }
  return counts;
}

function lastBefore({ failures }: Facts, channel: string, seq: number) {
  return failures.findLast((failure) => failure.seq < seq && failure.doubts(channel));
}

function valueOf(data: Told["data"]): number | undefined {
  const n = data.data?.n;
  return typeof n === "number" && "is_stale" in data ? n : undefined;
}
