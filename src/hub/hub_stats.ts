import { CLOSE } from "../protocol/close_code.ts";
import { Histogram, type HistogramValue } from "../telemetry/histogram.ts";

/** Frames of one type. */
export interface FrameCounts {
  /** Handed to transports, one for each client. */
  sent: number;
  /** Replaced by a newer one while they waited, so never sent. */
  conflated: number;
}

/** Who ended a connection. */
export type ClosedBy = "hub" | "client";

/** Codes a connection may end with by RFC 6455 section 7.4.1 that are not the hub's own. */
const USUAL_CLOSE_CODES = [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011];

/** Clients may close with any number: unknown ones are counted together. */
const KNOWN_CLOSE_CODES: ReadonlySet<number> = new Set([
  ...USUAL_CLOSE_CODES,
  ...Object.values(CLOSE).map(({ code }) => code),
]);

/** Shown for a connection that ended without a code. */
const NO_CODE = "none";

/** Time a broadcast takes, in seconds: a client costs microseconds, and there may be ten thousand. */
const FAN_OUT_BOUNDS = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
];

/** What goes in and out of one hub, or of several that serve the clients of one port. */
export interface Traffic {
  /** Time from the first client of a broadcast to the last, in seconds. */
  readonly fanOut: { value(): HistogramValue };
  /** Frames broadcast, with or without subscribers. */
  readonly broadcasts: number;
  readonly opened: number;
  /** Clients that came back and got all they had missed. */
  readonly recovered: number;
  /** Clients that came back and were told of a gap. */
  readonly gaps: number;
  /** Connections that ended, by who ended them and the code: `none`, a known one, or `other`. */
  closedBy(by: ClosedBy): ReadonlyMap<string, number>;
  /** Frames by type. */
  frames(): ReadonlyMap<string, Readonly<FrameCounts>>;
}

/**
 * What goes in and out of a hub, in plain numbers. A broadcast is counted once for all its clients;
 * where frames are counted one by one, those of the same type in a row look nothing up.
 */
export class HubStats implements Traffic {
  /** Time from the first client of a broadcast to the last, in seconds. */
  readonly fanOut = new Histogram(FAN_OUT_BOUNDS);
  /** Frames broadcast, with or without subscribers. */
  broadcasts = 0;
  opened = 0;
  /** Clients that came back and got all they had missed. */
  recovered = 0;
  /** Clients that came back and were told of a gap. */
  gaps = 0;
  /** The usual ones are there from the start, so that a rate shows the first one. */
  readonly #closed: Readonly<Record<ClosedBy, Map<string, number>>> = {
    hub: new Map(Object.values(CLOSE).map(({ code }) => [String(code), 0])),
    client: new Map(["1000", "1001", NO_CODE].map((code) => [code, 0])),
  };
  readonly #frames = new Map<string, FrameCounts>();
  #lastType = "";
  #last: FrameCounts = { sent: 0, conflated: 0 };

  /** @param clients To how many clients a frame of this type was sent. */
  sent(type: string, clients = 1): void {
    this.#of(type).sent += clients;
  }

  conflated(type: string): void {
    this.#of(type).conflated += 1;
  }

  /** @param code As on the wire; 0 where there was none. */
  closed(by: ClosedBy, code: number): void {
    const shown = code === 0 ? NO_CODE : KNOWN_CLOSE_CODES.has(code) ? String(code) : "other";
    const codes = this.#closed[by];
    codes.set(shown, (codes.get(shown) ?? 0) + 1);
  }

  /** Connections that ended, by who ended them and the code: `none`, a known one, or `other`. */
  closedBy(by: ClosedBy): ReadonlyMap<string, number> {
    return this.#closed[by];
  }

  /** Frames by type. */
  frames(): ReadonlyMap<string, Readonly<FrameCounts>> {
    return this.#frames;
  }

  /** Forgets the types that are none of these any more. */
  keepOnly(types: readonly string[]): void {
    for (const type of this.#frames.keys()) if (!types.includes(type)) this.#frames.delete(type);
    this.#lastType = "";
  }

  #of(type: string): FrameCounts {
    if (type !== this.#lastType) {
      let counts = this.#frames.get(type);
      if (counts === undefined) this.#frames.set(type, counts = { sent: 0, conflated: 0 });
      this.#lastType = type;
      this.#last = counts;
    }
    return this.#last;
  }
}
