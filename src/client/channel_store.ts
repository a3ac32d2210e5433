import type { ChannelState } from "./channel_states.ts";

/**
 * A status channel in the shape that view libraries subscribe to. Both functions can be passed on
 * as they are, such as to React's `useSyncExternalStore`.
 */
export interface ChannelStore<T = unknown> {
  /** The channel as it stands: the same object until that changes. */
  snapshot(this: void): ChannelState<T>;
  /** Calls back whenever the channel changes, until the function returned is called. */
  subscribe(this: void, listener: (state: ChannelState<T>) => void): () => void;
}
