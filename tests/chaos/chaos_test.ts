/**
 * The hub under fire: a backend that fails in every way, clients that come, go, stall, are killed
 * and resume. `HOLDFAST_CHAOS_SECONDS` (default 20) is how long, `HOLDFAST_SEED` repeats a run.
 */
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import type { LogLine } from "../support/hub_process.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { type Facts, gatherFacts } from "./facts.ts";
import {
  allAscends,
  breachesIn,
  codesIn,
  isToldOfShutdown,
  longestSilenceMs,
  lossesIn,
} from "./invariants.ts";
import type { Journal, Life, Told } from "./journal.ts";
import { type Aftermath, HEARTBEAT_MS, METHODS, weather } from "./storm.ts";

/** Added to what a heartbeat may be late, for a machine that is busy with other things. */
const ROOM_MS = 5000;
/** By how much this process may be late, and still have read all the time. */
const CALM_MS = 100;

Deno.test("no client is left guessing, whatever backend and clients do", () =>
  storm({ workers: 1, seconds: numberFromEnv("HOLDFAST_CHAOS_SECONDS", 20) }));

Deno.test("workers: nor is one on any of two threads", () =>
  storm({ workers: 2, seconds: numberFromEnv("HOLDFAST_CHAOS_SECONDS", 12) }));

async function storm({ workers, seconds }: { workers: number; seconds: number }): Promise<void> {
  const chance = new Chance(runSeed("chaos"));
  await using stack = new AsyncDisposableStack();
  const storm = await weather({ chance, forMs: seconds * 1000, workers }, stack);
  const { witnesses, wanderers, raw, backend } = storm;
  const [witness] = witnesses;
  assert(witness);
  const facts = gatherFacts({
    witnessed: witness.frames,
    logs: storm.logs,
    given: backend.given,
    backend: "core",
    methods: METHODS,
    published: storm.published,
  });
  const journals = [
    ...witnesses.map(({ journal }) => journal),
    ...wanderers.map(({ journal }) => journal),
    ...raw.stalled.values(),
  ];
  const lives = journals.flatMap((journal) => journal.lives);
  const losses = lossesIn(witness.frames);
  const kills = new Set(wanderers.map(({ process }) => process));
  say(
    `chaos: ${lives.reduce((sum, { frames }) => sum + frames.length, 0)} frames checked of ` +
      `${lives.length} connections; ${backend.faultCount} faults of the backend ` +
      `(${[...backend.faults].map(([fault, count]) => `${fault} ${count}`).join(", ")}); ` +
      `${sumOf(kills, ({ kills }) => kills)} kills, ${sumOf(kills, ({ stops }) => stops.length)} ` +
      `stops, ${raw.reset.length} resets, ${raw.stalled.size} that never read; ` +
      `${losses.length} losses told, ${storm.published.size} notifications, ` +
      `${facts.failures.length} failures told`,
  );

  assertEquals(journals.flatMap((journal) => breachesOf(journal, facts)), []);
  for (const each of witnesses) assertHealthy(each.life, storm);
  assertAllExplained(storm, losses);
  assertEquals(unexplainedEnds(storm, losses), []);
  assertTotals(storm);
  assertEquals(storm.exitCode, 0);
  assertEquals(storm.complaints, []);
  // A storm that did nothing would prove nothing.
  assertGreater(backend.faultCount, 0);
  assertGreater(losses.length, 0);
  assertGreater(facts.failures.length, 0);
}

function breachesOf(journal: Journal, facts: Facts): string[] {
  return breachesIn(journal, facts).map((breach) =>
    [breach, ...journal.lives.map(storyOf)].join("; ")
  );
}

/** One connection in few words, to see by which turn a client was led astray. */
function storyOf({ resume, batch, frames, hasLeft, end }: Life): string {
  const [welcome] = frames;
  const numbers = frames.flatMap(({ data: { number } }) =>
    typeof number === "number" ? number : []
  );
  return JSON.stringify({
    session: welcome?.data.session,
    batch,
    since: resume?.since,
    of: resume?.session,
    recovered: welcome?.data.recovered,
    seq: welcome?.data.seq,
    notifications: [numbers[0], numbers.at(-1)],
    last: frames.slice(-6).map(({ type, seq, data: { code } }) => `${code ?? type} ${seq}`),
    hasLeft,
    end,
  });
}

/** It heard everything in the order it was said, on time, and was told that the hub goes down. */
function assertHealthy(life: Life, { ownLatenessMs }: Aftermath): void {
  // On a busy machine a frame may have had to wait after all: then errors and beats overtake.
  if (ownLatenessMs <= CALM_MS) assertEquals([...allAscends(life)], []);
  assertEquals(life.end, { code: 1001, clean: true });
  assertEquals(life.frames.at(-1)?.data.code, "SERVER_SHUTDOWN");
  const silence = longestSilenceMs(life);
  const allowed = HEARTBEAT_MS + ownLatenessMs + ROOM_MS;
  assert(silence <= allowed, `no heartbeat for ${silence} ms (allowed: ${allowed})`);
}

/** Whoever was lost is told to the others: all of them, each once, and nobody else. */
function assertAllExplained(storm: Aftermath, losses: ReturnType<typeof lossesIn>): void {
  const told = losses.map(({ code, id }) => `${id} ${code}`).sort();
  assertEquals(new Set(losses.map(({ id }) => id)).size, losses.length, "one loss told twice");
  assertEquals(told, lostByLog(storm.logs), "told against the hub's own log");
  for (const { frames } of storm.witnesses) {
    assertEquals(lossesIn(frames).map(({ code, id }) => `${id} ${code}`).sort(), told);
  }
  const codes = new Map(losses.map(({ code, id }) => [id, code]));
  for (const id of storm.raw.reset) assertEquals(codes.get(id), "CLIENT_DISCONNECTED", id);
  for (const [id, { lives: [life] }] of storm.raw.stalled) {
    if (life?.end === undefined) continue; // the storm was over first
    // One that reads nothing does not answer pings either: whichever is noticed first.
    const code = codes.get(id);
    assert(code === "SLOW_CLIENT" || code === "CLIENT_DISCONNECTED", `${id}: ${code}`);
    if (code !== "SLOW_CLIENT") continue;
    if (!life.end.clean) continue; // its connection was ended before it read on
    assertEquals(life.frames.at(-1)?.data.code, "SLOW_CLIENT", id);
    assertEquals(life.end.code, 1013, id);
  }
}

/** Ends of connections that nobody can explain: clients lost without a word. */
function unexplainedEnds(storm: Aftermath, losses: ReturnType<typeof lossesIn>): string[] {
  const codes = new Map(losses.map(({ code, id }) => [id, code]));
  return storm.wanderers.flatMap(({ journal, process }) =>
    journal.lives.flatMap((life, nth) => {
      const [welcome] = life.frames;
      if (welcome === undefined) return []; // never was a client, as far as it knows
      const { session } = welcome.data;
      const code = codes.get(session);
      const story = `${session} ended ${JSON.stringify(life.end)}, told as ${code}`;
      const wasStopped = process.stops.some(({ until }) => until >= welcome.at);
      // One that was killed amid its goodbye may have been heard to say it.
      if (life.end === undefined && life.hasLeft) return [];
      if (life.end === undefined) {
        const known = storm.logs.filter(({ client_id }) => client_id === session);
        return code === undefined ? [`killed: ${story}; ${JSON.stringify(known)}`] : [];
      }
      if (code !== undefined && !wasStopped) return [`lost though healthy: ${story}`];
      if (code === undefined && !life.hasLeft && !isToldOfShutdown(life)) return [story];
      if (code === "SLOW_CLIENT") return notToldWhy(life, journal.lives[nth + 1]);
      return [];
    })
  );
}

/** A slow client learns why: as its last frame or, if that was lost, when it resumes. */
function notToldWhy(life: Life, next: Life | undefined): string[] {
  const isTold = life.frames.at(-1)?.data.code === "SLOW_CLIENT";
  const welcome: Told | undefined = next?.frames[0];
  if (next?.resume === undefined || welcome === undefined) return [];
  const { previous_close: previousClose } = welcome.data;
  if (previousClose === "SLOW_CLIENT") return [];
  const epochIsWrong = next.resume.epoch !== welcome.data.epoch;
  return isTold || epochIsWrong ? [] : [`${next.resume.session}: never told that it was too slow`];
}

function assertTotals({ status, witnesses, boor, logs }: Aftermath): void {
  const [witness] = witnesses;
  assert(witness);
  const heard = codesIn([witness.life]);
  for (const code of ["BAD_MESSAGE", "UNKNOWN_CHANNEL"]) {
    const own = codesIn([boor.life])[code];
    if (own !== undefined) heard[code] = own;
  }
  // Told when the status had been asked for; once to each client.
  delete heard["SERVER_SHUTDOWN"];
  assertEquals(status.errors_by_code, heard);
  assertEquals(status.error_count, Object.values(heard).reduce((sum, each) => sum + each, 0));
  assertEquals(status.slow_client_drops, heard["SLOW_CLIENT"] ?? 0);
  assertEquals(status.read_errors, heard["CLIENT_DISCONNECTED"] ?? 0);
  assertEquals(status.write_errors, 0);
  const drained = logs.find(({ event }) => event === "server.drained");
  assertEquals(drained?.["clients"], status.total_clients);
}

function lostByLog(logs: readonly LogLine[]): string[] {
  const codes: Readonly<Record<string, string>> = {
    "client vanished": "CLIENT_DISCONNECTED",
    "slow client": "SLOW_CLIENT",
  };
  return logs.flatMap(({ event, client_id: id, why }) => {
    // The runtime's own close may look like the client's at first.
    if (event === "client.was_lost") return [`${id} CLIENT_DISCONNECTED`];
    const code = codes[String(why)];
    return event === "client.disconnected" && code ? [`${id} ${code}`] : [];
  }).sort();
}

function sumOf<T>(items: Iterable<T>, of: (item: T) => number): number {
  return [...items].reduce((sum, item) => sum + of(item), 0);
}
