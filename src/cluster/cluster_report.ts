import { hubNameOf } from "./hub_id.ts";
import type { HubPresence, Role } from "./presence.ts";

/** What `/status` says of the cluster. */
export interface ClusterReport {
  readonly role: Role;
  /** What this hub is called. */
  readonly hub: string;
  /** Names this life of it, as others may have its name. */
  readonly id: string;
  /** What the hub that leads is called; null while this one knows of none. */
  readonly leader: string | null;
  readonly connected: boolean;
  /** Why it is not connected, or does not lead although it could. */
  readonly why?: string;
  /** Events and values that were accepted while the hub was alone, and that wait for its return. */
  readonly unsaid: number;
  /** Channels that this hub would feed otherwise than its leader does; absent if there are none. */
  readonly differs?: readonly string[];
  /** Clients of all hubs together. */
  readonly clients_connected: number;
  readonly hubs: readonly HubReport[];
}

/** What is known of one hub of the cluster. */
export interface HubReport {
  readonly hub: string;
  readonly id: string;
  readonly role: Role;
  readonly clients: number;
}

/** How one hub's part in its cluster stands, with ids in place of names. */
export interface ClusterFacts extends Pick<ClusterReport, "role" | "id" | "connected" | "unsaid"> {
  /** Id of the hub whose claim was read last. */
  readonly leader: string | undefined;
  readonly why: string | undefined;
  readonly differs: readonly string[];
  /** Every hub that is there. */
  readonly present: readonly HubPresence[];
}

/** Says how a hub's part in its cluster stands. */
export function clusterReport(facts: ClusterFacts): ClusterReport {
  const { role, id, leader, connected, why, unsaid, differs, present } = facts;
  return {
    role,
    hub: hubNameOf(id),
    id,
    // One that is out of touch cannot know.
    leader: leader === undefined || !connected ? null : hubNameOf(leader),
    connected,
    ...(why === undefined ? {} : { why }),
    unsaid,
    ...(differs.length === 0 || role === "leader" ? {} : { differs }),
    clients_connected: present.reduce((sum, { clients }) => sum + clients, 0),
    hubs: present.map(({ hub, role, clients }) => ({
      hub: hubNameOf(hub),
      id: hub,
      role,
      clients,
    })),
  };
}
