import type { Measured } from "./compare.ts";
import type { Machine } from "./machine.ts";

/** Everything that a comparison gave: what is told is made from it, and can be made anew. */
export interface Results {
  /** The day, as in `2026-01-31`. */
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Whether server and load client had a processor core each. */
  readonly pinned: boolean;
  readonly cases: readonly { readonly id: string; readonly title: string }[];
  /** Those that took part. */
  readonly peers: readonly {
    readonly name: string;
    readonly label: string;
    readonly version: string;
  }[];
  /** Those that could not be had, and why. */
  readonly absent: readonly { readonly name: string; readonly why: string }[];
  readonly samples: readonly Measured[];
}
