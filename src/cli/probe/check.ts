/** One thing that was looked at, and what was seen. */
export interface Check {
  readonly name: CheckName;
  readonly verdict: "ok" | "FAIL" | "skip";
  /** What was seen or, for a skipped check, why it was skipped. */
  readonly seen: string;
}

/** Every check, in the order they are told, with what it asks of a hub. */
export const CHECKS = {
  healthz: "GET /healthz answers 200",
  auth: "without the token, /snapshot and /status answer 401",
  handshake: "/ws opens a WebSocket",
  welcome: "the first frame is a welcome with every field",
  snapshot: "each channel that has a value sends it on connecting, and again on subscribing",
  ping: "a ping is answered with a pong of the same id",
  bad_message: "what is no message is answered with BAD_MESSAGE, and the connection stays",
  unknown_channel: "a channel that does not exist is answered with UNKNOWN_CHANNEL",
  subscribe: "subscribe and unsubscribe are answered, and heeded",
  heartbeat: "heartbeats come at the pace the welcome promised",
  frames: "every frame has the envelope and the data its type has",
  seq: "seq rises, and only broadcasts have one",
  staleness: "status frames tell the truth about their age",
  clock: "the hub's clock agrees with this machine's",
  snapshot_agrees: "/snapshot and the frames say the same",
  breaker: "nothing is called fresh that /status calls stale or whose breaker is open",
  status: "GET /status has every field",
  readyz: "GET /readyz answers 200",
  close: "a close is answered with a close",
  resume: "a resume is recovered, and one from another epoch is a gap",
  replay: "a resume brings the events that came since",
  bad_message_limit: "20 bad messages end the connection with 1008",
  message_size: "a message that is too big ends the connection with 1009",
} as const;

export type CheckName = keyof typeof CHECKS;

export const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

/** Faults found for one check: the first few in words, the others counted. */
export class CheckFaults {
  readonly #told = new Set<string>();
  #count = 0;

  /** Notes a fault; kept in words while there is room. */
  add(fault: string): void {
    this.#count += 1;
    if (this.#told.size < MAX_TOLD) this.#told.add(fault);
  }

  get any(): boolean {
    return this.#count > 0;
  }

  /** The check: failed with what was found or, if nothing was, as `otherwise` says. */
  verdict(name: CheckName, otherwise: Omit<Check, "name">): Check {
    if (!this.any) return { name, ...otherwise };
    const more = this.#count - this.#told.size;
    const seen = [...this.#told].join("; ") + (more > 0 ? `; and ${more} more like it` : "");
    return { name, verdict: "FAIL", seen };
  }
}

/** Faults of one check that are told in words. */
const MAX_TOLD = 3;

export function ok(name: CheckName, seen: string): Check {
  return { name, verdict: "ok", seen };
}

export function failed(name: CheckName, seen: string): Check {
  return { name, verdict: "FAIL", seen };
}

export function skipped(name: CheckName, why: string): Check {
  return { name, verdict: "skip", seen: why };
}
