/**
 * Hub and backend stand still (SIGSTOP), the hub's wall clock is set forwards and back: no frame
 * calls a value fresh and more than a second younger than it is. `HOLDFAST_HALTS_SECONDS` (default
 * 30) is how long, `HOLDFAST_HALTS_CLIENTS` (default 60) how many listen, `HOLDFAST_SEED` repeats the
 * choices of a run. The clock is set by libfaketime
 * (Debian: `apt-get install faketime`); without it only halts are tried.
 */
import { DeltaValues } from "../../src/client/delta_values.ts";
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { complaintsOf } from "../support/complaints.ts";
import { HubProcess } from "../support/hub_process.ts";
import { childListeningOn, waitUntilHalted } from "../support/process_facts.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { within } from "../support/until.ts";
import { FrameCheck } from "./frame_check.ts";
import { sleep } from "./storm_backend.ts";

const FAKE_TIME = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketimeMT.so.1`;
const CHANNELS = ["system_status", "storage_update", "agent_status", "queue_status"];
const DEFAULT_CLIENTS = 60;
const DEFAULT_SECONDS = 30;
/** In a short run halts are short, too; in a long one they take from 5 s to a minute. */
const LONG_RUN_SECONDS = 300;
const HOUR_MS = 3_600_000;
/** By how much the clock is set, in milliseconds. Far enough apart to tell which one a frame is of. */
const STEPS_MS = [0, HOUR_MS, -HOUR_MS, 26 * HOUR_MS, -40 * 24 * HOUR_MS];

Deno.test("C43 C17 C49: nothing is called fresh and younger than it is, whatever stands still or is set", async () => {
  const seconds = numberFromEnv("HOLDFAST_HALTS_SECONDS", DEFAULT_SECONDS);
  const isLong = seconds >= LONG_RUN_SECONDS;
  const chance = new Chance(runSeed("halts"));
  await using backend = await DatedBackend.start();
  using clock = new SetClock();
  await using hub = await HubProcess.start(configFor(backend.url), { env: clock.env });
  const pid = childListeningOn(Number(new URL(hub.url).port));
  const clients = Array.from(
    { length: numberFromEnv("HOLDFAST_HALTS_CLIENTS", DEFAULT_CLIENTS) },
    (_, nth) => new HaltClient(hub.ws(nth % 3 === 0 ? { delta: "1" } : { batch: "1" }), clock),
  );
  const end = new AbortController();
  const { signal } = end;
  const halts = { hub: [] as number[], backend: [] as number[] };
  const halt = async (of: keyof typeof halts, stop: () => void, go: () => void) => {
    await sleep(isLong ? chance.between(5000, 25_000) : chance.between(1500, 3000), signal);
    const forMs = !isLong
      ? chance.between(1000, 7000)
      : chance.percent(75)
      ? chance.between(5000, 12_000)
      : chance.between(12_000, 60_000);
    stop();
    await sleep(forMs, signal).catch(() => {});
    go();
    halts[of].push(forMs);
  };
  const haltHub = () =>
    halt("hub", () => {
      hub.signal("SIGSTOP");
      waitUntilHalted(pid);
    }, () => hub.signal("SIGCONT"));
  const haltBackend = () =>
    halt("backend", () => backend.signal("SIGSTOP"), () => backend.signal("SIGCONT"));
  const timer = setTimeout(() => end.abort(), seconds * 1000);
  try {
    await Promise.all([
      repeat(signal, haltHub),
      repeat(signal, haltBackend),
      repeat(signal, async () => {
        await sleep(isLong ? chance.between(5000, 20_000) : chance.between(2000, 5000), signal);
        clock.set(chance.pick(STEPS_MS));
      }),
      ...clients.map((client) => client.run(signal)),
    ]);
  } finally {
    clearTimeout(timer);
    end.abort();
  }

  const checks = clients.map(({ check }) => check);
  const sum = (of: (check: FrameCheck) => number) =>
    checks.reduce((total, check) => total + of(check), 0);
  const shown = (all: readonly number[]) =>
    `${all.length} (${Math.round(Math.max(0, ...all) / 1000)} s at most)`;
  say(
    `halts: ${sum(({ checked }) => checked)} frames checked in ${seconds} s, ` +
      `${sum(({ fresh }) => fresh)} of them fresh values; halts of the hub ${
        shown(halts.hub)
      }, of ` +
      `the backend ${shown(halts.backend)}; clock set ${clock.steps} times; ` +
      `${sum(({ breachCount }) => breachCount)} lies; a frame was on its way for ` +
      `${Math.max(...checks.map(({ longestWayMs }) => longestWayMs))} ms at most; ` +
      `${clients.reduce((total, { ends }) => total + ends.length, 0)} connections ended`,
  );
  assertEquals(checks.flatMap(({ breaches }) => breaches), []);
  assertEquals(clients.flatMap(({ ends }) => ends), []);
  assertEquals(await hub.stop(), 0);
  assertEquals(complaintsOf(hub), []);
  for (const each of Object.values(halts)) assertGreater(each.length, 0);
  if (clock.isThere) assertGreater(clock.steps, 0);
  assert(sum(({ fresh }) => fresh) > 0 && sum(({ stale }) => stale) > 0);
});

/** The hub's wall clock, which is ahead of the true one by what is in a file. */
class SetClock implements Disposable {
  readonly isThere: boolean;
  steps = 0;
  readonly #path = Deno.makeTempFileSync({ prefix: "holdfast-clock-" });
  readonly #aheadMs = new Set([0]);

  constructor() {
    this.isThere = isFile(FAKE_TIME);
    if (!this.isThere) {
      if (Deno.env.get("CI")) throw new Error("libfaketime is missing (apt install faketime)");
      say("halts: the clock is left alone: libfaketime is missing (apt install faketime)");
    }
    Deno.writeTextFileSync(this.#path, "+0");
  }

  get env(): Record<string, string> {
    if (!this.isThere) return {};
    return {
      LD_PRELOAD: FAKE_TIME,
      FAKETIME_TIMESTAMP_FILE: this.#path,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  set(aheadMs: number): void {
    if (!this.isThere) return;
    this.steps += 1;
    this.#aheadMs.add(aheadMs);
    // Another file in its place at once: half a number would be a time, too.
    Deno.writeTextFileSync(`${this.#path}.new`, `${aheadMs < 0 ? "" : "+"}${aheadMs / 1000}`);
    Deno.renameSync(`${this.#path}.new`, this.#path);
  }

  /** The true second that a frame's timestamp stands for: the setting that puts it closest to now. */
  trueSecond(timestamp: number, now: number): number {
    const candidates = [...this.#aheadMs].map((ms) => timestamp - ms / 1000);
    const off = (second: number) => Math.abs(now / 1000 - second);
    return candidates.reduce((best, each) => off(each) < off(best) ? each : best);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
  }
}

/** A client that stays, whatever happens, and looks at each frame. */
class HaltClient {
  readonly check: FrameCheck;
  readonly ends: string[] = [];
  readonly #url: string;
  readonly #clock: SetClock;
  readonly #given = new Map<string, number>();

  constructor(url: string, clock: SetClock) {
    this.#url = url;
    this.#clock = clock;
    this.check = new FrameCheck({ givenAt: (channel) => this.#given.get(channel) });
  }

  async run(signal: AbortSignal): Promise<void> {
    const deltas = new DeltaValues();
    const socket = new WebSocket(this.#url);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.check.open();
    socket.onmessage = ({ data }) => {
      const at = Date.now();
      for (const frame of [JSON.parse(data)].flat()) {
        const whole = deltas.complete(frame);
        if (whole === undefined) this.ends.push(`nothing to put ${data} together with`);
        else this.#look(whole, at);
      }
    };
    socket.onerror = () => {}; // the close that follows tells it all
    socket.onclose = ({ code, reason }) => {
      if (!signal.aborted) this.ends.push(`closed with ${code} ${reason}`);
      resolve();
    };
    await Promise.race([ended, sleep(10 * HOUR_MS, signal).catch(() => {})]);
    socket.close(1000);
    await within(ended, { explain: () => "no end after a goodbye" });
  }

  // deno-lint-ignore no-explicit-any -- whatever came
  #look(frame: any, at: number): void {
    const { type, data, timestamp } = frame;
    if (typeof data.data?.at === "number") this.#given.set(type, data.data.at);
    this.check.take({ ...frame, timestamp: this.#clock.trueSecond(timestamp, at), at });
  }
}

/** {@linkcode file://./dated_backend.ts} as a process. */
class DatedBackend implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, readonly url: string) {
    this.#child = child;
  }

  static async start(): Promise<DatedBackend> {
    const script = new URL("dated_backend.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", "--allow-net=127.0.0.1", script],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await within(reader.read(), { explain: () => "the backend did not start" });
    reader.releaseLock();
    return new DatedBackend(child, new TextDecoder().decode(value).trim());
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await Promise.all([this.#child.stdout.cancel(), this.#child.status]);
    await this.#child.stdin.close().catch(() => {});
  }
}

async function repeat(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act().catch((error) => {
      if (!signal.aborted) throw error;
    });
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function configFor(url: string): object {
  return {
    backends: {
      core: {
        transport: "json-rpc",
        url,
        timeout: "1500ms",
        retry: { attempts: 1 },
        breaker: { failures: 6, open_for: "1s", max_open_for: "2s" },
        health_check: { method: "Health", every: "500ms", timeout: "400ms" },
      },
    },
    sources: CHANNELS.map((channel) => ({
      channel,
      backend: "core",
      method: channel,
      every: "100ms",
      stale_after: "30s",
    })),
    hub: { heartbeat_every: "1s" },
  };
}
