import { CLOSE, type CloseName } from "../protocol/close_code.ts";
import { encodeFrame, json } from "../protocol/codec.ts";
import { type ErrorCode, type ErrorEvent, errorEvent, errorType } from "../protocol/error_event.ts";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { DisconnectedSessions, Memory } from "./resume/disconnected_sessions.ts";
import type { ErrorCounts } from "./error_counts.ts";
import { type LossCode, LossNotices } from "./loss_notices.ts";
import type { Registry } from "./registry.ts";
import type { Session } from "./session.ts";
import type { ClosedBy, HubStats } from "./hub_stats.ts";

export interface DisconnectsOptions {
  clock: Clock;
  signal: AbortSignal;
  registry: Registry;
  errors: ErrorCounts;
  /** Where the ends of connections are counted. */
  stats: HubStats;
  /** Takes those that left and are worth remembering. */
  remembered: DisconnectedSessions;
  /** Tells the clients that are left; losses are counted here, one by one. */
  broadcast: (event: ErrorEvent) => void;
  /** Told of a client that left and is worth remembering, perhaps also elsewhere. */
  onRemembered: (id: string, memory: Memory) => void;
}

/** How a connection ended on its own, as its transport saw it. */
export interface TransportEnd {
  /** A closing handshake took place, or none was to be expected. */
  readonly clean: boolean;
  readonly code: number;
}

/** How a client leaves, as the log has it. */
interface Leaving {
  readonly by: ClosedBy;
  readonly why: string;
  /** The code its connection is closed with; 0 where there is none. */
  readonly close: number;
  readonly code?: ErrorCode;
  /** Told the code when it comes back. Default false. */
  readonly isRemembered?: boolean;
  readonly details?: string;
  readonly flushed?: boolean;
}

/** What a client that broke a rule is told when it comes back. */
const CLOSED_WITH: { readonly [name in CloseName]?: ErrorCode } = {
  badMessages: "BAD_MESSAGE",
  rateLimited: "RATE_LIMITED",
  tooBig: "BAD_MESSAGE",
};

/**
 * Every way in which a client leaves. Each leaves once: it is forgotten by the registry, logged,
 * counted, remembered for its return where there is something to say, and the others are told if
 * it was lost.
 */
export class Disconnects {
  readonly #options: DisconnectsOptions;
  readonly #log: Log = logOf("hub");
  readonly #losses: LossNotices;
  #slowClientDrops = 0;
  #readErrors = 0;

  constructor(options: DisconnectsOptions) {
    const { clock, signal } = options;
    this.#options = options;
    this.#losses = new LossNotices({ clock, signal, tell: (code, ids) => this.#tell(code, ids) });
  }

  get slowClientDrops(): number {
    return this.#slowClientDrops;
  }

  /** Connections that broke without a closing handshake. */
  get readErrors(): number {
    return this.#readErrors;
  }

  /** Up to this number, a client that is not remembered may have got less than its number says. */
  get forgottenUpTo(): number {
    return this.#options.remembered.forgottenUpTo;
  }

  /** What is remembered of a client that left. */
  recall(id: string): Memory | undefined {
    return this.#options.remembered.recall(id, this.#options.clock.now());
  }

  /** Remembers a client that left another hub, to which it may not come back. */
  rememberStranger(id: string, memory: Memory): void {
    this.#options.remembered.remember(id, memory, this.#options.clock.now());
  }

  /** Another numbering begins. */
  renumber(): void {
    this.#options.remembered.renumber();
  }

  /** The connection ended by itself. Late or repeated calls change nothing. */
  gone(session: Session, end: TransportEnd): void {
    const hadEnded = session.hasEnded;
    session.gone();
    if (hadEnded) return;
    const { clean, code: close } = end;
    const why = clean ? "client closed" : "client vanished";
    const code = clean ? {} : { code: "CLIENT_DISCONNECTED" } as const;
    this.#leave(session, { by: "client", why, close, ...code });
    if (clean) return;
    this.#readErrors += 1;
    this.#lose("CLIENT_DISCONNECTED", session);
  }

  /**
   * A connection that seemed to end in order did not: the runtime gave up on it. Call it once, for
   * a session whose end was told as clean.
   *
   * @param why The runtime's reason.
   */
  wasLostAfterAll(session: Session, why: string): void {
    this.#readErrors += 1;
    this.#log.info("client.was_lost", {
      ...session.logFields,
      code: "CLIENT_DISCONNECTED",
      why,
    });
    this.#lose("CLIENT_DISCONNECTED", session);
  }

  /**
   * The client cannot be kept up to date: it is told so as its next frame, and closed.
   *
   * @param options `withinMs`: how long its connection gets to go. Default: its transport's own.
   */
  dropSlow(session: Session, why: string, { withinMs }: { withinMs?: number } = {}): void {
    const left = this.#leave(session, {
      by: "hub",
      why: "slow client",
      close: CLOSE.slowClient.code,
      code: "SLOW_CLIENT",
      isRemembered: true,
      details: why,
    });
    if (!left) return;
    this.#slowClientDrops += 1;
    const event = errorEvent("SLOW_CLIENT", "you could not be kept up to date and are closed", {
      timestamp: this.#options.clock.unixSeconds(),
      details: why,
      data: { client_id: session.id },
    });
    const last = encodeFrame(errorType(event.code), json(event), event.timestamp);
    session.end("slowClient", { last, withinMs });
    this.#lose("SLOW_CLIENT", session);
  }

  /** Closes a client that broke a rule, or that cannot be written to. */
  expel(session: Session, close: CloseName): void {
    const { code: closeCode, reason: why } = CLOSE[close];
    const told = CLOSED_WITH[close];
    // One that could not be written to has vanished as far as the others can tell.
    const isLost = close === "writeErrors";
    const code = told ?? (isLost ? "CLIENT_DISCONNECTED" : undefined);
    const left = this.#leave(session, {
      by: "hub",
      why,
      close: closeCode,
      ...(code === undefined ? {} : { code }),
      isRemembered: told !== undefined,
    });
    if (!left) return;
    session.end(close);
    if (isLost) this.#lose("CLIENT_DISCONNECTED", session);
  }

  /** The hub goes down. */
  seeOff(session: Session, details: { isFlushed: boolean }): void {
    const left = this.#leave(session, {
      by: "hub",
      why: "shutdown",
      close: CLOSE.shutdown.code,
      code: "SERVER_SHUTDOWN",
      flushed: details.isFlushed,
    });
    if (!left) return;
    session.end("shutdown");
  }

  #leave(session: Session, leaving: Leaving): boolean {
    const { clock, registry, stats } = this.#options;
    if (!registry.remove(session)) return false;
    const { by, isRemembered = false, ...fields } = leaving;
    const { code } = leaving;
    stats.closed(by, leaving.close);
    const now = clock.now();
    const memory: Memory = {
      progress: session.progress,
      ...(isRemembered && code ? { closedWith: code } : {}),
    };
    if (this.#options.remembered.remember(session.id, memory, now)) {
      this.#options.onRemembered(session.id, memory);
    }
    this.#log.info("client.disconnected", {
      ...session.logFields,
      ...fields,
      duration_ms: Math.round(now - session.startedAt),
      clients: registry.size,
    });
    return true;
  }

  #lose(code: LossCode, session: Session): void {
    this.#options.errors.add(code);
    this.#losses.add(code, session.id);
  }

  #tell(code: LossCode, ids: readonly string[]): void {
    const [first] = ids;
    const who = ids.length === 1 ? "another client" : `${ids.length} other clients`;
    const what = code === "SLOW_CLIENT"
      ? "could not be kept up to date and had to be closed"
      : "vanished without a closing handshake";
    const data = ids.length === 1
      ? { client_id: first }
      : { client_id: first, client_ids: ids, count: ids.length };
    const timestamp = this.#options.clock.unixSeconds();
    this.#options.broadcast(errorEvent(code, `${who} ${what}`, { timestamp, data }));
  }
}
