import type { ErrorEvent } from "../protocol/error_event.ts";
import type { ClientMessage, Frame, WelcomeFrame } from "../protocol/message.ts";
import type { Backoff } from "../resilience/backoff.ts";
import { type HubAddress, protocolsFor } from "./address.ts";
import { Connection, type Ending } from "./connection.ts";
import { probeRefusal, type RefusalProbe } from "./refusal_probe.ts";
import type { ConnectionState } from "./events.ts";
import { type NextStep, nextStep } from "./next_step.ts";
import type { ResolvedOptions, TokenSource } from "./options.ts";
import { type ResumePoint, ResumePosition } from "./position.ts";
import { aborted, pause } from "./time.ts";
import { readToken } from "./token.ts";

/** What a link asks and tells of whoever holds it. */
export interface ReconnectorHost {
  /** The channels to name in the next connection; `undefined` for all. */
  channels(): readonly string[] | undefined;
  onState(state: ConnectionState): void;
  /** @param before Where the last connection had come to, if there was one. */
  onWelcome(frame: WelcomeFrame, before: ResumePoint | undefined): void;
  /** Every frame but the welcome, without those that were had before. */
  onFrame(frame: Frame): void;
  /** The connection was lost, or never came about; the hub was last heard `quietForMs` ago. */
  onLost(quietForMs: number): void;
}

/** Least time from one attempt to one that a wake-up asks for: a network may come and go. */
const WAKE_UP_AFTER_MS = 1000;

/** How long a connection must have held for the backoff to begin anew, in milliseconds. */
const STABLE_AFTER_MS = 10_000;

/**
 * The line to the hub: one connection after the other, never two at once, with the waits between
 * them. It resumes where it left, and stops when going on as before would be of no use.
 */
export class Reconnector {
  readonly #address: HubAddress;
  readonly #options: ResolvedOptions;
  readonly #host: ReconnectorHost;
  readonly #position = new ResumePosition();
  readonly #done: Promise<void>;
  #token: TokenSource | undefined;
  #backoff: Backoff;
  #state: ConnectionState = { kind: "connecting", attempt: 1 };
  #attempt = 0;
  #isClosed = false;
  /** Aborted to end whatever is under way: a wait, a stop or a connection. */
  #turn = new AbortController();
  #connection: Connection | undefined;
  #welcomedAt: number | undefined;
  /** When the hub said to come back, in monotonic milliseconds. */
  #comeBackAt: number | undefined;
  #triedAt = -Infinity;
  /** The wait under way is our own, so that it may be cut short. */
  #isOwnWait = false;

  /** Starts connecting, once the caller has had the time to listen. */
  constructor(
    address: HubAddress,
    host: ReconnectorHost,
    options: ResolvedOptions & { readonly token: TokenSource | undefined },
  ) {
    this.#address = address;
    this.#host = host;
    this.#options = options;
    this.#token = options.token;
    this.#backoff = options.backoff;
    const stopListening = options.wakeUps(() => this.#onWakeUp());
    this.#done = Promise.resolve().then(() => this.#run()).finally(stopListening);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Sends a message, if the connection is open. */
  send(message: ClientMessage): void {
    if (this.#state.kind === "open") this.#connection?.send(message);
  }

  /**
   * Connects again now, whatever the state. After a stop it goes on at once only with another
   * token; with the old one the backoff stands between, so that not even a loop hammers the hub.
   */
  reconnect(token?: TokenSource): void {
    if (this.#isClosed) return;
    if (token !== undefined && token !== this.#token) {
      this.#token = token;
      this.#backoff = this.#options.backoff;
      if (this.#state.kind === "stopped") this.#wait("a new token was given", 0);
    } else if (this.#state.kind === "stopped") {
      this.#wait("asked to try again", this.#backoff.waitMs(this.#options.random));
    } else if (this.#state.kind === "waiting") {
      this.#wait("asked to try again", 0);
    }
    this.#turn.abort();
  }

  /** Closes for good; resolves once nothing is left open. Idempotent. */
  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#turn.abort();
      this.#setState({ kind: "closed" });
    }
    return this.#done;
  }

  /** What made an attempt fail may be over, and an open connection may have died meanwhile. */
  #onWakeUp(): void {
    if (this.#isClosed) return;
    if (this.#state.kind === "open") this.#connection?.endIfSilent();
    const isWaiting = this.#state.kind === "waiting" && this.#isOwnWait;
    if (!isWaiting || this.#options.clock.now() - this.#triedAt < WAKE_UP_AFTER_MS) return;
    this.#wait("the network or the page is back", 0);
    this.#turn.abort();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const turn = new AbortController();
      this.#turn = turn;
      const state = this.#state;
      if (
        state.kind === "waiting" && !await pause(this.#options.clock, state.waitMs, turn.signal)
      ) {
        continue;
      }
      const step = await this.#tryOnce(turn.signal);
      if (turn.signal.aborted || step === undefined) continue;
      if (step.kind === "wait") {
        if (step.usesBackoff) this.#backoff = this.#backoff.next();
        this.#isOwnWait = step.usesBackoff && !step.isTold;
        this.#wait(step.reason, step.waitMs);
      } else {
        this.#backoff = this.#backoff.next();
        this.#setState({ kind: "stopped", code: step.code, reason: step.reason });
        await aborted(turn.signal);
      }
    }
    await this.#connection?.closed;
  }

  /** One connection from opening to its end, and what to do then; `undefined` if interrupted. */
  async #tryOnce(signal: AbortSignal): Promise<NextStep | undefined> {
    const { clock, random, openTimeoutMs } = this.#options;
    await this.#connection?.closed; // one socket at a time
    if (signal.aborted) return undefined;
    this.#attempt += 1;
    this.#triedAt = clock.now();
    this.#setState({ kind: "connecting", attempt: this.#attempt });
    const read = await readToken(this.#token, { clock, timeoutMs: openTimeoutMs, signal });
    if (signal.aborted) return undefined;
    if (!read.ok) {
      const waitMs = this.#backoff.waitMs(random);
      return { kind: "wait", waitMs, reason: read.why, usesBackoff: true, isTold: false };
    }
    const ending = await this.#connect(read.token, signal);
    if (signal.aborted) return undefined;
    const door = ending.kind === "refused"
      ? await this.#probeRefusal(read.token, signal)
      : undefined;
    const announcedMs = this.#comeBackAt === undefined ? undefined : this.#comeBackAt - clock.now();
    return nextStep(ending, {
      backoffMs: this.#backoff.waitMs(random),
      announcedMs,
      door,
      hasToken: read.token !== undefined,
      tokenRenews: typeof this.#token === "function",
    });
  }

  async #connect(token: string | undefined, signal: AbortSignal): Promise<Ending> {
    const { clock, WebSocket, parse, openTimeoutMs } = this.#options;
    this.#comeBackAt = undefined;
    this.#welcomedAt = undefined;
    const connection = new Connection(this.#url(), {
      protocols: protocolsFor(token),
      WebSocket,
      parse,
      clock,
      openTimeoutMs,
      onFrame: (frame) => this.#onFrame(frame, connection),
    });
    this.#connection = connection;
    const leave = () => connection.end({ kind: "left" });
    signal.addEventListener("abort", leave, { once: true });
    const ending = await connection.ended;
    signal.removeEventListener("abort", leave);
    if (this.#welcomedAt !== undefined && clock.now() - this.#welcomedAt >= STABLE_AFTER_MS) {
      this.#backoff = this.#options.backoff;
    }
    this.#host.onLost(ending.kind === "silent" ? connection.quietForMs : 0);
    return ending;
  }

  #probeRefusal(token: string | undefined, signal: AbortSignal): Promise<RefusalProbe> | undefined {
    const { fetch, explainFailure, clock } = this.#options;
    const options = { explainFailure, token, clock, signal };
    return fetch && probeRefusal(this.#address, { ...options, fetch });
  }

  #onFrame(frame: Frame, connection: Connection): void {
    const now = this.#options.clock.now();
    if (frame.type === "welcome") {
      const { data: welcome } = frame as WelcomeFrame;
      const before = this.#position.resumePoint;
      this.#position.welcome(welcome);
      this.#welcomedAt ??= now; // a hub welcomes again when its numbers begin anew
      this.#attempt = 0;
      this.#setState({ kind: "open", welcome });
      if (this.#isClosed) return; // by a listener
      this.#host.onWelcome(frame as WelcomeFrame, before);
      return;
    }
    if (!this.#position.accept(frame, now)) return;
    if (frame.type === "error") this.#heedShutdown(frame.data as ErrorEvent, connection);
    this.#host.onFrame(frame);
  }

  #heedShutdown({ code, data }: ErrorEvent, connection: Connection): void {
    if (code !== "SERVER_SHUTDOWN") return;
    const { reconnect_after_ms, deadline_ms } = data ?? {};
    if (typeof reconnect_after_ms === "number") {
      this.#comeBackAt = this.#options.clock.now() + reconnect_after_ms;
    }
    if (typeof deadline_ms === "number") void connection.endBy(deadline_ms);
  }

  #url(): string {
    const params = new URLSearchParams();
    const channels = this.#host.channels();
    if (channels !== undefined) params.set("channels", channels.join(","));
    if (this.#options.batch) params.set("batch", "1");
    if (this.#options.delta) params.set("delta", "1");
    for (const [key, value] of Object.entries(this.#position.resumePoint ?? {})) {
      params.set(key, String(value));
    }
    const query = params.toString();
    return query === "" ? this.#address.socket : `${this.#address.socket}?${query}`;
  }

  #wait(reason: string, waitMs: number): void {
    this.#setState({ kind: "waiting", reason, waitMs });
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#host.onState(state);
  }
}
