import type { CloseName } from "../protocol/close_code.ts";
import type { ClientMessage } from "../protocol/message.ts";
import type { Clock } from "../resilience/clock.ts";
import type { ClientRequests } from "./client_requests.ts";
import { BatchWindows } from "./delivery/batch_windows.ts";
import { BufferBudget } from "./delivery/buffer_budget.ts";
import { Pump } from "./delivery/pump.ts";
import { StallSweep } from "./delivery/stall_sweep.ts";
import type { Disconnects } from "./disconnects.ts";
import type { HubLimits } from "./hub_options.ts";
import type { HubStats } from "./hub_stats.ts";
import type { Registry } from "./registry.ts";
import type { Sequence } from "./resume/sequence.ts";
import type { Session, SessionHost } from "./session.ts";

/**
 * How long the connection gets to go of a client that is closed for the room it takes, in
 * milliseconds: it takes nothing, and the room is wanted by others.
 */
const EVICTED_WITHIN_MS = 250;

export interface HubSessionHostOptions {
  clock: Clock;
  /** Ends the loops that look after the sessions. */
  signal: AbortSignal;
  limits: HubLimits;
  stats: HubStats;
  registry: Pick<Registry, "all">;
  sequence: Pick<Sequence, "outlivesMemory">;
  /** Answers what clients say. */
  requests: Pick<ClientRequests, "answer" | "sendError">;
  /** Closes those that cannot stay. */
  disconnects: Pick<Disconnects, "dropSlow" | "expel">;
}

/**
 * What all sessions of a hub share: their bounds, the loops that look after those that take too
 * little, and where they turn with what they cannot decide alone.
 */
export class HubSessionHost implements SessionHost {
  readonly limits: HubLimits;
  readonly stats: HubStats;
  readonly windows: BatchWindows;
  readonly budget: BufferBudget;
  readonly #options: HubSessionHostOptions;
  readonly #pump: Pump;
  #writeErrors = 0;

  constructor(options: HubSessionHostOptions) {
    const { clock, signal, limits, stats, registry } = options;
    this.#options = options;
    this.limits = limits;
    this.stats = stats;
    this.windows = new BatchWindows({ clock, signal, maxEvents: limits.outboxMessages });
    this.budget = new BufferBudget({
      maxBytes: limits.maxBufferedBytes,
      holders: () => registry.all(),
    });
    this.#pump = new Pump({ clock, signal });
    const sweep = new StallSweep<Session>({
      clock,
      stallTimeoutMs: limits.stallTimeoutMs,
      sessions: () => registry.all(),
      onStalled: (session, ms) => this.onSlow(session, `it took nothing for ${Math.round(ms)} ms`),
      onSwept: (now) => this.budget.swept(now),
    });
    void sweep.run(signal);
  }

  /** Frames that could not be written when they were handed over. */
  get writeErrors(): number {
    return this.#writeErrors;
  }

  get numbersMustSpeak(): boolean {
    return this.#options.sequence.outlivesMemory;
  }

  onMessage(session: Session, message: ClientMessage): void {
    this.#options.requests.answer(session, message);
  }

  onBadMessage(session: Session, code: "BAD_MESSAGE" | "RATE_LIMITED", why: string): void {
    this.#options.requests.sendError(session, code, why);
  }

  onBlocked(session: Session): void {
    this.#pump.add(session);
  }

  onSlow(session: Session, why: string): void {
    this.#options.disconnects.dropSlow(session, why);
  }

  onEvicted(session: Session, why: string): void {
    this.#options.disconnects.dropSlow(session, why, { withinMs: EVICTED_WITHIN_MS });
  }

  onWriteError(): void {
    this.#writeErrors += 1;
  }

  onViolation(session: Session, close: CloseName): void {
    this.#options.disconnects.expel(session, close);
  }
}
