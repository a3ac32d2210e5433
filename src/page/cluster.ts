import { cut } from "./format.ts";

/** As much of `/status.cluster` as the page shows. */
export interface ClusterStanding {
  readonly role: string;
  /** Whether the hub is in touch with the others. */
  readonly connected: boolean;
  /** The hubs that are there, this one among them. */
  readonly hubs: readonly unknown[];
}

/** A hub's part in its cluster, in words; the mark and the word make do without the tone's colour. */
export interface ClusterView {
  readonly tone: "good" | "stale" | "idle";
  readonly mark: string;
  readonly word: string;
  readonly note: string;
}

/** Says what a hub is to its cluster. */
export function describeCluster({ role, connected, hubs }: ClusterStanding): ClusterView {
  const others = hubs.length - 1;
  if (role === "alone") {
    return {
      tone: "stale",
      mark: "▲",
      word: "Alone",
      note: "polls for itself",
    };
  }
  if (!connected) {
    return { tone: "stale", mark: "▲", word: "Cut off", note: "looks for the others" };
  }
  if (role === "leader") {
    const note = others === 0 ? "polls; no other hub is there" : `polls for ${hubs.length} hubs`;
    return { tone: "good", mark: "●", word: "Leader", note };
  }
  if (role === "follower") {
    const note = others === 0 ? "waits for another to poll" : `one of ${hubs.length} hubs`;
    return { tone: "good", mark: "●", word: "Follower", note };
  }
  return { tone: "idle", mark: "○", word: cut(role, 20), note: `one of ${hubs.length} hubs` };
}
