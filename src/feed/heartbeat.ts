import type { HeartbeatData } from "../protocol/message.ts";
import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";

export interface HeartbeatOptions {
  clock: Clock;
  /** Sends it to everybody who wants heartbeats. */
  send: (data: HeartbeatData) => void;
  everyMs: number;
  /** Clients connected at this moment. */
  clientsConnected: () => number;
  /** What a hub among several adds to it. Default: nothing. */
  also?: () => Pick<HeartbeatData, "cluster_clients_connected">;
  /** Told after each one. */
  onBeat?: () => void;
}

/**
 * Sends a heartbeat every `everyMs` until the signal is aborted. It has a clock of its own and
 * waits for nothing else, so that no hanging backend can delay it.
 */
export async function beat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { clock, send, everyMs, clientsConnected, also, onBeat } = options;
  for await (const _tick of new Ticker(everyMs, { clock, signal, firstAfterMs: everyMs })) {
    const data: HeartbeatData = {
      timestamp: clock.unixSeconds(),
      clients_connected: clientsConnected(),
      ...also?.(),
    };
    send(data);
    onBeat?.();
  }
}
