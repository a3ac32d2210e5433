import type { CloseName } from "../protocol/close_code.ts";
import { parseClientMessage } from "../protocol/codec.ts";
import type { ClientMessage } from "../protocol/message.ts";
import { RateLimit } from "./rate_limit.ts";

/** Messages the hub could not accept after which a client is closed. */
export const MAX_BAD_MESSAGES = 20;

/** Bounds on what a client may send. */
export interface InboundLimitsOptions {
  /** Longest inbound message, in bytes. */
  readonly maxMessageBytes: number;
  /** Inbound messages a second; bursts of as many are fine. 0: no limit. */
  readonly messagesPerSecond: number;
}

/** What the hub thinks of something a client sent. */
export type InboundResult =
  | { readonly kind: "message"; readonly message: ClientMessage }
  /** Not acceptable, and why; `close` once there were too many of the kind. */
  | {
    readonly kind: "complaint";
    readonly code: "BAD_MESSAGE" | "RATE_LIMITED";
    readonly why: string;
    readonly close?: CloseName;
  }
  /** Not to be borne at all. */
  | { readonly kind: "violation"; readonly close: CloseName };

const TOO_BIG: InboundResult = { kind: "violation", close: "tooBig" };

const encoder = new TextEncoder();

/** Judges what one client sends: its size, its pace, its sense. Answers with values. */
export class InboundLimits {
  readonly #limits: InboundLimitsOptions;
  readonly #rate: RateLimit;
  #bad = 0;

  /** @param now Monotonic milliseconds, here and below. */
  constructor(limits: InboundLimitsOptions, now: number) {
    this.#limits = limits;
    this.#rate = new RateLimit(limits.messagesPerSecond, now);
  }

  /** Judges a text message. */
  judge(text: string, now: number): InboundResult {
    if (isLongerThan(text, this.#limits.maxMessageBytes)) return TOO_BIG;
    if (!this.#rate.admit(now)) return this.#tooMany();
    const parsed = parseClientMessage(text);
    if (parsed.ok) return { kind: "message", message: parsed.message };
    return this.#complaint("BAD_MESSAGE", parsed.why);
  }

  /** Judges a binary message, which the protocol has no use for. */
  judgeBinary(byteLength: number, now: number): InboundResult {
    if (byteLength > this.#limits.maxMessageBytes) return TOO_BIG;
    if (!this.#rate.admit(now)) return this.#tooMany();
    return this.#complaint("BAD_MESSAGE", "binary message; send JSON as text");
  }

  #tooMany(): InboundResult {
    const { messagesPerSecond } = this.#limits;
    return this.#complaint("RATE_LIMITED", `more than ${messagesPerSecond} messages a second`);
  }

  #complaint(code: "BAD_MESSAGE" | "RATE_LIMITED", why: string): InboundResult {
    this.#bad += 1;
    if (this.#bad < MAX_BAD_MESSAGES) return { kind: "complaint", code, why };
    const close = code === "RATE_LIMITED" ? "rateLimited" : "badMessages";
    return { kind: "complaint", code, why, close };
  }
}

/** Whether the text is longer than `bytes` in UTF-8; encodes only where its length leaves a doubt. */
function isLongerThan(text: string, bytes: number): boolean {
  if (text.length > bytes) return true;
  return text.length * 3 > bytes && encoder.encode(text).length > bytes;
}
