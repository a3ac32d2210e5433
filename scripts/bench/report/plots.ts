import type { Figure } from "../figures.ts";

/** A picture of one figure at a few cases. */
export interface Plot {
  readonly file: string;
  readonly title: string;
  readonly figure: Figure;
  /** Cases that belong to it, by the beginning of their names. */
  readonly cases: readonly string[];
}

/** The pictures that a comparison draws. */
export const PLOTS: readonly Plot[] = [
  {
    file: "cpu.svg",
    title: "Server CPU per delivered message",
    figure: "cpuPerDeliveryUs",
    cases: ["tick/", "firehose/", "four_sources/"],
  },
  {
    file: "completion.svg",
    title: "From publish until the last client has it, p99",
    figure: "p99Ms",
    cases: ["tick/", "firehose/", "four_sources/"],
  },
  {
    file: "memory.svg",
    title: "Resident memory per idle connection",
    figure: "rssPerConnectionKib",
    cases: ["idle/"],
  },
];
