import { Backoff, type BackoffOptions } from "../../../resilience/backoff.ts";
import type { Clock } from "../../../resilience/clock.ts";
import { FailureLog } from "../../../telemetry/failure_log.ts";
import { logOf } from "../../../telemetry/log.ts";
import { oneLine } from "../one_line.ts";
import type { GrpcEndpoint } from "../transport.ts";
import { encodeMessage, MessageReader, type Order, type Report } from "./message.ts";

export interface ProcessOptions {
  /** What runs {@linkcode serveTransport} on its standard input and output. */
  command: { readonly program: string; readonly args: readonly string[] };
  clock: Clock;
  /** How often the process is asked whether it lives, in milliseconds. Default 1 s. */
  pingEveryMs?: number;
  /** The waits before it is started again. Default: 250 ms, doubling up to 30 s. */
  restart?: BackoffOptions;
}

export interface SupervisedProcessOptions extends ProcessOptions {
  /** Told of all that the process says but its answers to pings. */
  onReport: (report: Exclude<Report, { kind: "pong" }>, body: Uint8Array) => void;
  /** It is gone, and with it all that was ordered; {@linkcode SupervisedProcess.why} says why. */
  onDeath: () => void;
}

/** So often is the process asked whether it lives, in milliseconds. */
const PING_EVERY_MS = 1000;

/** Pings in a row without an answer after which the process counts as hung, and is killed. */
const MAX_UNANSWERED_PINGS = 8;

/** The same until its first answer, in milliseconds: a busy machine loads code slowly. */
const START_MS = 30_000;

/** Waits before it is started again after a death: doubling, without chance. */
const RESTART: BackoffOptions = { minMs: 250, maxMs: 30_000, jitter: 0 };

/** A process that lived this long, in milliseconds, is not one that dies at its start. */
const STEADY_MS = 60_000;

/** Memory of the process past which it is killed, in bytes, besides what a few answers take. */
const MAX_RSS_BYTES = 512 * 1024 * 1024;
const MAX_RSS_ANSWERS = 16;

/** What is kept of its standard error, in characters: the runtime's last words. */
const MAX_LAST_WORDS = 400;

/**
 * Variables of the environment that reach the process, and no others: it is the one that speaks to
 * strangers and needs no secret but its own backend's.
 */
const PASSED_ON = [
  "HOME",
  "PATH",
  "TMPDIR",
  "XDG_CACHE_HOME",
  "DENO_DIR",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

/** A process that runs. */
interface RunningTransport {
  readonly child: Deno.ChildProcess;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly startedAt: number;
  /** Pings since the last answer. */
  unanswered: number;
  /** Whether it ever answered. */
  hasStarted: boolean;
  /** Why it was killed by us. */
  verdict?: string;
}

/**
 * The process of one gRPC backend, kept alive: started again when it dies, after waits that grow, and
 * killed when it hangs, grows too large or writes nonsense. It ends when the hub does.
 */
export class SupervisedProcess implements AsyncDisposable {
  readonly #endpoint: GrpcEndpoint;
  readonly #options: SupervisedProcessOptions;
  readonly #address: string;
  readonly #over = new AbortController();
  #running: RunningTransport | undefined;
  #ended: Promise<void> = Promise.resolve();
  #why = "the gRPC process has not started";
  #deathCount = 0;
  #backoff: Backoff;
  readonly #deaths = new FailureLog({
    room: "rpc",
    events: {
      begins: "grpc.process_ended",
      again: "grpc.process_ended_again",
      goesOn: "grpc.process_keeps_ending",
      ends: "grpc.process_steady",
    },
    times: "deaths",
  });

  constructor(endpoint: GrpcEndpoint, options: SupervisedProcessOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#address = new URL(endpoint.url).host;
    this.#backoff = new Backoff(options.restart ?? RESTART);
    this.#start();
  }

  /** How often it ended without being asked to. */
  get deaths(): number {
    return this.#deathCount;
  }

  /** `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** Why it does not run, when it does not. */
  get why(): string {
    return this.#why;
  }

  /** Orders something; in vain while it does not run. */
  send(order: Order, body?: Uint8Array): void {
    // A process that does not read is killed for its silence; until then what waits is bounded by
    // the calls that are open.
    this.#running?.writer.write(encodeMessage(order, body)).catch(() => {}); // its end is seen elsewhere
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#why = "the backend was closed";
    this.#kill("the backend was closed");
    await this.#ended;
  }

  #start(): void {
    if (this.#over.signal.aborted) return;
    const { clock } = this.#options;
    let child: Deno.ChildProcess;
    try {
      child = spawn(this.#options.command);
    } catch (error) {
      this.#noteDeath(
        error instanceof Deno.errors.NotCapable
          ? "cannot be started: this process needs --allow-run (after a reload: start the hub anew)"
          : `cannot be started: ${oneLine(error instanceof Error ? error.message : String(error))}`,
      );
      return;
    }
    const running: RunningTransport = {
      child,
      writer: child.stdin.getWriter(),
      startedAt: clock.now(),
      unanswered: 0,
      hasStarted: false,
    };
    this.#running = running;
    logOf("rpc").debug("grpc.process_started", { address: this.#address, pid: child.pid });
    this.send({ kind: "open", endpoint: this.#endpoint });
    this.#ended = this.#attend(running);
  }

  /** Listens to a process until its end. */
  async #attend(running: RunningTransport): Promise<void> {
    const { child, writer } = running;
    const over = new AbortController();
    const watching = this.#watch(running, over.signal);
    const words = lastWords(child.stderr);
    await this.#listen(running);
    const { code, signal } = await child.status;
    over.abort();
    await watching;
    await writer.close().catch(() => {}); // nobody reads any more
    if (this.#running === running) this.#running = undefined;
    const said = oneLine(await words);
    const how = running.verdict ??
      (signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`) +
        (said === "" ? "" : `: ${said}`);
    const { clock } = this.#options;
    if (clock.now() - running.startedAt >= STEADY_MS) {
      this.#backoff = new Backoff(this.#options.restart ?? RESTART);
    }
    this.#noteDeath(how);
  }

  #noteDeath(how: string): void {
    const isOver = this.#over.signal.aborted;
    if (!isOver) this.#why = `the gRPC process ${how}`;
    this.#options.onDeath();
    if (isOver) return;
    this.#deathCount += 1;
    const { clock } = this.#options;
    const waitMs = this.#backoff.waitMs();
    this.#backoff = this.#backoff.next();
    this.#deaths.failed(clock.now(), {
      address: this.#address,
      why: how,
      restart_in_ms: Math.round(waitMs),
    });
    clock.sleep(waitMs, this.#over).then(
      () => this.#start(),
      () => {}, // closed meanwhile
    );
  }

  async #listen(running: RunningTransport): Promise<void> {
    const reader = new MessageReader<Report>(this.#endpoint.maxResponseBytes);
    try {
      for await (const piece of running.child.stdout) {
        for (const { head, body } of reader.feed(piece)) this.#heed(running, head, body);
      }
    } catch (error) {
      this.#kill(`sent what cannot be understood: ${oneLine(String(error))}`);
    }
  }

  #heed(running: RunningTransport, report: Report, body: Uint8Array): void {
    running.unanswered = 0;
    running.hasStarted = true;
    if (report.kind !== "pong") return this.#options.onReport(report, body);
    const limit = MAX_RSS_BYTES + MAX_RSS_ANSWERS * this.#endpoint.maxResponseBytes;
    if (report.rssBytes > limit) this.#kill(`held ${report.rssBytes} bytes and was killed`);
  }

  /** Kills a process that answers no pings: its event loop stands still, or runs in a circle. */
  async #watch(running: RunningTransport, signal: AbortSignal): Promise<void> {
    const { clock, pingEveryMs = PING_EVERY_MS } = this.#options;
    try {
      for (;;) {
        await clock.sleep(pingEveryMs, { signal });
        // Counted and not timed: a machine that slept has missed none.
        const most = running.hasStarted ? MAX_UNANSWERED_PINGS : START_MS / pingEveryMs;
        if (running.unanswered >= most) {
          this.#kill("hung and was killed");
          return;
        }
        const isSteady = clock.now() - running.startedAt >= STEADY_MS;
        if (isSteady) this.#deaths.ended(clock.now(), { address: this.#address });
        running.unanswered += 1;
        this.send({ kind: "ping" });
      }
    } catch {
      // it has ended
    }
  }

  #kill(verdict: string): void {
    const running = this.#running;
    if (running === undefined) return;
    running.verdict ??= verdict;
    try {
      running.child.kill("SIGKILL"); // it has nothing to put in order
    } catch {
      // it ended just now
    }
  }
}

function spawn({ program, args }: ProcessOptions["command"]): Deno.ChildProcess {
  const env: Record<string, string> = { NO_COLOR: "1" };
  for (const name of PASSED_ON) {
    if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") continue;
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The last that a process says on its standard error, read as it comes so that it never waits. */
async function lastWords(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let words = "";
  try {
    for await (const piece of stderr.pipeThrough(new TextDecoderStream())) {
      words = (words + piece).slice(-MAX_LAST_WORDS);
    }
  } catch {
    // it ended in the middle of a character
  }
  return words;
}
