import type { ConnectionState } from "../client/mod.ts";

/** How things stand: `failed` is about sources and backends, `gone` about the hub itself. */
export type Standing = "good" | "stale" | "failed" | "gone" | "idle";

export interface Summary {
  readonly standing: Standing;
  readonly text: string;
}

export interface SummaryInput {
  readonly connection: ConnectionState;
  readonly live: number;
  readonly stale: number;
  readonly neverSeen: number;
  /** Of those never seen: they were asked, and failed. */
  readonly neverAnswered: number;
  /** Names of backends whose breaker is not closed. */
  readonly backendsDown: readonly string[];
}

/** Most backends named. */
const MAX_NAMED = 3;

/** How things stand, in one sentence: what the page says first, and what is read aloud. */
export function summarize(input: SummaryInput): Summary {
  const { connection, live, stale, neverSeen, neverAnswered } = input;
  const total = live + stale + neverSeen;
  switch (connection.kind) {
    case "stopped":
      return connection.code === "unauthorized"
        ? { standing: "gone", text: "This hub asks for a token" }
        : { standing: "gone", text: "Not connected to the hub" };
    case "closed":
      return { standing: "gone", text: "Not connected to the hub" };
    case "waiting":
      return { standing: "gone", text: "The hub is gone" };
    case "connecting":
      return connection.attempt === 1 && total === neverSeen
        ? { standing: "idle", text: "Connecting to the hub" }
        : { standing: "gone", text: "The hub is gone" };
    case "open":
      break;
  }
  if (total === 0) return { standing: "idle", text: "Connected; this hub has no sources" };
  const failing = stale + neverAnswered;
  if (failing > 0) {
    const what = neverAnswered === 0 ? "stale" : stale === 0 ? "without an answer" : "failing";
    const parts = what === "failing" ? ` (${stale} stale, ${neverAnswered} never answered)` : "";
    const whole = failing === total
      ? total === 1 ? `The source is ${what}` : `All ${total} sources are ${what}`
      : `${failing} of ${total} sources ${failing === 1 ? "is" : "are"} ${what}`;
    return { standing: gravestOf(input), text: whole + parts + whyOf(input) };
  }
  if (neverSeen > 0) {
    const text = `${neverSeen} of ${total} sources ${
      neverSeen === 1 ? "has" : "have"
    } no value yet`;
    return {
      standing: input.backendsDown.length > 0 ? "failed" : "idle",
      text: text + whyOf(input),
    };
  }
  return {
    standing: "good",
    text: total === 1 ? "The source is live" : `All ${total} sources are live`,
  };
}

/** The mark of the gravest thing below: what never answered, and a backend that does not. */
function gravestOf({ neverAnswered, backendsDown }: SummaryInput): Standing {
  return neverAnswered > 0 || backendsDown.length > 0 ? "failed" : "stale";
}

function whyOf({ backendsDown }: SummaryInput): string {
  if (backendsDown.length === 0) return "";
  const named = backendsDown.slice(0, MAX_NAMED).join(", ");
  const more = backendsDown.length - MAX_NAMED;
  const rest = more > 0 ? ` and ${more} more` : "";
  const does = backendsDown.length === 1 ? "does" : "do";
  return `: ${named}${rest} ${does} not answer`;
}
