import { cut } from "../format.ts";

/** As much of `/status.cluster` as the page shows. */
export interface ClusterStanding {
  readonly role: string;
  /** What the hub is called; absent from those of before. */
  readonly hub?: string;
  /** What the hub that leads is called. */
  readonly leader?: string | null;
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
export function describeCluster(standing: ClusterStanding): ClusterView {
  const { role, hub, leader, connected, hubs } = standing;
  const name = hub === undefined ? "" : `${cut(hub, 40)}: `;
  const others = hubs.length - 1;
  if (role === "alone") {
    return {
      tone: "stale",
      mark: "▲",
      word: "Alone",
      note: `${name}polls for itself`,
    };
  }
  if (!connected) {
    return { tone: "stale", mark: "▲", word: "Cut off", note: `${name}looks for the others` };
  }
  if (role === "leader") {
    const note = others === 0 ? "polls; no other hub is there" : `polls for ${hubs.length} hubs`;
    return { tone: "good", mark: "●", word: "Leader", note: name + note };
  }
  if (role === "follower") {
    const led = leader ? `, ${cut(leader, 40)} leads` : "";
    const note = others === 0 ? "waits for another to poll" : `one of ${hubs.length} hubs${led}`;
    return { tone: "good", mark: "●", word: "Follower", note: name + note };
  }
  return { tone: "idle", mark: "○", word: cut(role, 20), note: `one of ${hubs.length} hubs` };
}
