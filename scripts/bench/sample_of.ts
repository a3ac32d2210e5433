import type { Sample } from "./case.ts";
import type { Figures } from "./figures.ts";
import type { Window } from "./load_client.ts";
import { percentile } from "./statistics.ts";

const US_PER_MS = 1000;

/** What each kind of fault means. */
const MEANINGS: Readonly<Record<keyof Window["faults"], string>> = {
  incomplete: "messages did not reach every client",
  skipped: "numbers were passed over",
  repeated: "numbers came again or out of order",
  unknown: "numbers were never published",
  altered: "messages were altered",
  broken: "connections brought what is no frame",
  lostClients: "clients lost their connection",
};

/** The faults of a window in words; none if everything came as it should. */
export function faultsOf({ faults }: Pick<Window, "faults">): string[] {
  const names = Object.keys(MEANINGS) as (keyof typeof MEANINGS)[];
  return names.filter((name) => faults[name] > 0).map((name) =>
    `${faults[name]} ${MEANINGS[name]}`
  );
}

/** The figures of a window, and what was wrong with it. */
export function sampleOf(window: Window): Sample {
  const times = window.completedAfterUs;
  const p50 = percentile(times, 0.5);
  const p99 = percentile(times, 0.99);
  const faults = faultsOf(window);
  if (window.deliveries === 0) faults.push("nothing was delivered");
  const figures: Figures = {
    ...(window.deliveries === 0 ? {} : {
      cpuPerDeliveryUs: window.serverCpuUs / window.deliveries,
      messagesPerFrame: window.deliveries / window.frames,
    }),
    ...(p50 === undefined ? {} : { p50Ms: p50 / US_PER_MS }),
    ...(p99 === undefined ? {} : { p99Ms: p99 / US_PER_MS }),
    behindMs: Math.max(0, window.behindUs / US_PER_MS),
    loadBusy: 100 * window.loadCpuUs / window.elapsedUs,
  };
  return { figures, faults };
}
