import type { Incident } from "./incident.ts";

/** The hub is alive: written down again and again while it is. Unix milliseconds. */
export interface SignOfLife {
  readonly aliveMs: number;
}

/** Between two signs of life, in milliseconds: by so much the end of a life may be mistaken. */
export const SIGN_EVERY_MS = 1000;

/** How an earlier life of the hub ended. */
export type LifeEnd = "clean" | "crash" | "power_loss";

const CAUSES: Readonly<Record<LifeEnd, string>> = {
  clean: "the hub was stopped",
  crash: "the hub's process ended without a word",
  power_loss: "the machine, or the hub's disk, went down",
};

/**
 * The time in which the hub was off, as an incident that is over.
 *
 * @param now When this life began, in unix milliseconds.
 */
export function hubDown({ aliveMs }: SignOfLife, end: LifeEnd, now: number): Incident {
  const startedMs = Math.min(aliveMs, now);
  return {
    id: `hub_down-${Math.floor(startedMs)}`,
    kind: "hub_down",
    startedMs,
    endedMs: now,
    cause: CAUSES[end],
    failures: 0,
    times: 1,
    ...uncertainty(end, now - startedMs),
  };
}

/** After a loss of power the newest signs of life may be lost as well. */
function uncertainty(end: LifeEnd, offMs: number): Pick<Incident, "uncertainMs"> {
  if (end === "clean") return {};
  return { uncertainMs: end === "crash" ? Math.min(SIGN_EVERY_MS, offMs) : offMs };
}
