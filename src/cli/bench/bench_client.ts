import { Buffer } from "node:buffer";
import { protocolsFor } from "../../client/address.ts";
import { CLOSE } from "../../protocol/close_code.ts";
import { Backoff } from "../../resilience/backoff.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { HubAccess } from "../hub_access.ts";
import { readHead } from "./head.ts";
import { type HeardSpan, type Ledger, newSpan } from "./ledger.ts";
import type { LoadTally } from "./tally.ts";

export interface BenchClientOptions {
  url: string;
  token: string | undefined;
  access: HubAccess;
  clock: Clock;
  ledger: Ledger;
  tally: LoadTally;
  signal: AbortSignal;
}

/** The most that opening may take, welcome included, in milliseconds. */
const OPEN_MS = 10_000;
/** How long a closing handshake is waited for, in milliseconds. */
const CLOSE_MS = 2000;
const PING_EVERY_MS = 1000;
const BACKOFF = { minMs: 250, maxMs: 5000 };

/**
 * One client of a load: connects, counts what comes, pings once a second, and connects again when
 * the connection is lost. It resumes nothing, so that each connection is a client of its own.
 */
export class BenchClient {
  readonly #options: BenchClientOptions;
  readonly #welcomed = Promise.withResolvers<boolean>();

  constructor(options: BenchClientOptions) {
    this.#options = options;
  }

  /** Resolves with whether the first connection was welcomed. */
  get welcomed(): Promise<boolean> {
    return this.#welcomed.promise;
  }

  /** Runs until the signal is aborted, and its last socket is closed. */
  async run(): Promise<void> {
    const { signal, clock, tally } = this.#options;
    let backoff = new Backoff(BACKOFF);
    for (let attempt = 1; !signal.aborted; attempt++) {
      const wasWelcomed = await this.#connectOnce(attempt > 1);
      this.#welcomed.resolve(wasWelcomed);
      if (signal.aborted || (attempt === 1 && !wasWelcomed)) return;
      if (wasWelcomed) backoff = new Backoff(BACKOFF);
      else tally.refused += 1;
      await clock.sleep(backoff.waitMs(), { signal }).catch(() => {});
      backoff = backoff.next();
    }
    this.#welcomed.resolve(false);
  }

  /** One connection from opening to its end; whether it was welcomed. */
  async #connectOnce(isAgain: boolean): Promise<boolean> {
    const { url, token, access, clock, tally, signal } = this.#options;
    const socket = new access.WebSocket(url, protocolsFor(token));
    const closed = Promise.withResolvers<void>();
    const waiting = new AbortController();
    let span: HeardSpan | undefined;
    let pingedAt = 0;
    socket.onerror = () => {}; // the close that follows tells it all
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string" || signal.aborted) return;
      const now = clock.now();
      const head = readHead(data);
      if (head === undefined) {
        tally.notFrames += 1;
        return;
      }
      const { type, seq } = head;
      if (type === "welcome") {
        span = span === undefined ? this.#enter(data, isAgain) : this.#startOver(data, span);
        return;
      }
      if (type === "pong") {
        if (tally.isMeasuring) tally.roundTrip.add(now - pingedAt);
        return;
      }
      tally.count(type, Buffer.byteLength(data));
      if (span && seq !== undefined) this.#options.ledger.heard(span, type, seq, now);
    };
    socket.onclose = ({ code }) => {
      if (!signal.aborted && span !== undefined) {
        tally.lost += 1;
        if (code === CLOSE.slowClient.code) tally.slow += 1;
      }
      waiting.abort();
      closed.resolve();
    };
    const stop = () => waiting.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // Spread over the second: pings of many clients at once would measure one another.
    let everyMs = PING_EVERY_MS * Math.random();
    const giveUpAt = clock.now() + OPEN_MS;
    while (!waiting.signal.aborted) {
      await clock.sleep(everyMs, { signal: waiting.signal }).catch(() => {});
      everyMs = PING_EVERY_MS;
      if (span === undefined && clock.now() > giveUpAt) break;
      if (waiting.signal.aborted || span === undefined) continue;
      pingedAt = clock.now();
      socket.send(`{"type":"ping"}`);
    }
    signal.removeEventListener("abort", stop);
    if (socket.readyState <= WebSocket.OPEN) socket.close(1000);
    await this.#atMost(closed.promise);
    if (span === undefined) return false;
    span.isOver = true;
    tally.connected -= 1;
    return true;
  }

  #enter(text: string, isAgain: boolean): HeardSpan {
    const { ledger, tally } = this.#options;
    const span = newSpan(seqIn(text));
    ledger.enter(span);
    tally.connected += 1;
    if (isAgain) tally.reconnects += 1;
    this.#welcomed.resolve(true);
    return span;
  }

  /** The hub welcomes again on the same connection, in another numbering. */
  #startOver(text: string, before: HeardSpan): HeardSpan {
    before.isOver = true;
    const span = newSpan(seqIn(text));
    this.#options.ledger.enter(span);
    return span;
  }

  /** Waits for a promise, but not for long: a hub under load may never answer a close. */
  async #atMost(promise: Promise<void>): Promise<void> {
    const done = new AbortController();
    const late = this.#options.clock.sleep(CLOSE_MS, { signal: done.signal }).catch(() => {});
    await Promise.race([promise, late]);
    done.abort();
    await late;
  }
}

/** The number in a welcome. */
function seqIn(welcome: string): number {
  const { data } = JSON.parse(welcome) as { data?: { seq?: unknown } };
  return typeof data?.seq === "number" ? data.seq : 0;
}
