/** Who gives a channel its values. */
export type Feeder =
  /** A source asks this backend. */
  | { readonly kind: "backend"; readonly backend: string }
  /** Somebody outside publishes them. */
  | { readonly kind: "publisher" };

/** What is configured of a status channel, as far as its values' truth is concerned. */
export interface ChannelSettings {
  readonly feeder: Feeder;
  /** Age from which a value counts as stale, in milliseconds; `Infinity` is never. */
  readonly staleAfterMs: number;
}

/** A channel that is not configured: its publisher says how long a value holds. */
export const UNCONFIGURED: ChannelSettings = {
  feeder: { kind: "publisher" },
  staleAfterMs: Infinity,
};
