import { CLOSE, type CloseReason, type ReconnectAdvice } from "../protocol/close_code.ts";
import type { Ending } from "./connection.ts";
import type { RefusalProbe } from "./refusal_probe.ts";

/** Why a client stopped for good. */
export type StopCode =
  /** 401 at the door, or the token has expired. */
  | "unauthorized"
  /** 403 at the door: this origin is not allowed. */
  | "forbidden"
  /** Close code 1008: the hub would not have this client's messages. */
  | "policy"
  /** Close code 1009: a message of this client was too big. */
  | "too_big"
  /** The runtime would not open a WebSocket to this URL. */
  | "unusable";

/** What to do after a connection ended. */
export type NextStep =
  | {
    readonly kind: "wait";
    readonly waitMs: number;
    readonly reason: string;
    /** The wait came from the backoff, whose next one is longer. */
    readonly usesBackoff: boolean;
    /** The hub asked for it, or for a part of it: it is not cut short. */
    readonly isTold: boolean;
  }
  | { readonly kind: "stop"; readonly code: StopCode; readonly reason: string };

export interface StepContext {
  /** This step's wait by backoff, in milliseconds. */
  backoffMs: number;
  /** What is left of the wait that the hub announced with `SERVER_SHUTDOWN`, in milliseconds. */
  announcedMs?: number | undefined;
  /** What the door said, where it was asked. */
  door?: RefusalProbe | undefined;
  /** Whether a token was given. Default: one was. */
  hasToken?: boolean;
  /** Whether the next connection comes with a new token, so that an expired one is no reason to stop. */
  tokenRenews?: boolean;
}

/** The longest wait a hub can ask for, in milliseconds; one that asks for more is not believed. */
export const MAX_TOLD_WAIT_MS = 3_600_000;

/** Decides what to do after a connection ended. Pure. */
export function nextStep(ending: Ending, context: StepContext): NextStep {
  const { backoffMs, announcedMs, door, hasToken = true, tokenRenews = false } = context;
  if (ending.kind === "unusable") return { kind: "stop", code: "unusable", reason: ending.why };
  if (door?.kind === "shut") return stopAt(door.status, hasToken);
  const reason = describe(ending, door);
  if (ending.kind === "closed" && adviceFor(ending) === "not_without_a_fix") {
    const code = stopCodeOf(ending);
    const mendsItself = code === "unauthorized" && tokenRenews;
    if (!mendsItself) return { kind: "stop", code, reason };
  }
  if (announcedMs !== undefined) {
    const waitMs = Math.min(Math.max(0, announcedMs), MAX_TOLD_WAIT_MS);
    return { kind: "wait", waitMs, reason, usesBackoff: false, isTold: true };
  }
  // Everyone at the door is told the same wait: the backoff's jitter on top spreads them.
  const toldMs = door?.kind === "busy" ? Math.min(door.retryAfterMs ?? 0, MAX_TOLD_WAIT_MS) : 0;
  const isTold = toldMs > 0;
  return { kind: "wait", waitMs: toldMs + backoffMs, reason, usesBackoff: true, isTold };
}

/** The table's advice for a close; a code the table does not know is the network's doing. */
export function adviceFor(closed: { code: number; reason: string }): ReconnectAdvice {
  const rows: CloseReason[] = Object.values(CLOSE);
  const sameCode = rows.filter(({ code }) => code === closed.code);
  const row = sameCode.find(({ reason }) => reason === closed.reason) ?? sameCode[0];
  return row?.advice ?? "with_backoff";
}

function stopAt(status: 401 | 403, hasToken: boolean): NextStep {
  const refused = hasToken ? "the hub refused the token" : "the hub asks for a token";
  return status === 401
    ? { kind: "stop", code: "unauthorized", reason: `${refused} (HTTP 401)` }
    : { kind: "stop", code: "forbidden", reason: "the hub refused this origin (HTTP 403)" };
}

function stopCodeOf({ code, reason }: { code: number; reason: string }): StopCode {
  if (code === CLOSE.tooBig.code) return "too_big";
  return reason === CLOSE.expired.reason ? "unauthorized" : "policy";
}

function describe(ending: Ending, door: RefusalProbe | undefined): string {
  switch (ending.kind) {
    case "closed":
      return ending.reason === ""
        ? `the connection was lost (code ${ending.code})`
        : `${ending.reason} (code ${ending.code})`;
    case "refused":
      if (door?.kind === "busy") return `the hub takes no clients just now (HTTP ${door.status})`;
      if (door?.kind === "unexplained") {
        return `the hub did not open a WebSocket (HTTP ${door.status})`;
      }
      return `the hub cannot be reached${
        door?.kind === "unreachable" && door.why !== undefined ? `: ${door.why}` : ""
      }`;
    case "timeout":
      return `the hub did not answer within ${ending.afterMs} ms`;
    case "silent":
      return `the hub was silent for ${ending.forMs} ms`;
    case "protocol":
    case "unusable":
      return ending.why;
    case "left":
      return "left";
  }
}
