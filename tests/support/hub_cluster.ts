// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { ClusterReport } from "../../src/cluster/cluster_report.ts";
import { quickBackend, quickSource } from "./hub_config.ts";
import { HubProcess } from "./hub_process.ts";
import { PATIENCE_MS } from "./until.ts";

/** What publishers log in with. */
export const PUBLISHER_TOKEN = "cluster-publisher-0123456789abcdef";

/** How often a hub is asked, and how long one answer may take: a stopped one never gives any. */
const ASK_EVERY_MS = 50;
const ASK_TIMEOUT_MS = 2000;

/** What a test looks at of `/status`. */
export interface HubStatus {
  readonly cluster: ClusterReport;
  readonly total_clients: number;
  readonly backends: Readonly<Record<string, { readonly state: string }>>;
  readonly sources: Readonly<
    Record<string, { readonly is_stale: boolean; readonly last_error: string | null }>
  >;
}

export interface ClusterConfigOptions {
  /** Where a hub finds the engine; several for the servers of one NATS cluster. */
  nats: string | readonly string[];
  /** The JSON-RPC backend all of them poll. */
  backend: string;
  /** What goes into `cluster` beside that. */
  cluster?: object;
  /** What goes into the configuration beside that. */
  also?: object;
}

/** A hub's configuration with a short lease and grace time, so that a test need not wait long. */
export function clusterConfig({ nats, backend, cluster, also }: ClusterConfigOptions): object {
  return {
    backends: { core: quickBackend(backend) },
    sources: [quickSource("system_status", "core", { stale_after: "2s" })],
    hub: { heartbeat_every: "200ms" },
    auth: {
      tokens: [
        { name: "everybody", token: READER_TOKEN, channels: ["*"] },
        { name: "publisher", token: PUBLISHER_TOKEN, channels: ["*"], publish: true },
      ],
    },
    shutdown: { drain: "500ms", reconnect_within: "100ms" },
    cluster: { nats, lease: "1s", grace: "2s", ...cluster },
    ...also,
  };
}

/** What lets its bearer read everything. */
export const READER_TOKEN = "cluster-reader-0123456789abcdefgh";

/** What `/status` says; fails if the hub does not answer. */
export async function statusOf(hub: HubProcess): Promise<HubStatus> {
  const headers = { authorization: `Bearer ${READER_TOKEN}` };
  const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
  const response = await fetch(`${hub.url}/status`, { headers, signal });
  return await response.json();
}

/** A hub's WebSocket address for somebody who may read everything. */
export function readerUrl(hub: HubProcess, query: Readonly<Record<string, string>> = {}): string {
  return hub.ws({ token: READER_TOKEN, ...query });
}

/** An answer of a hub to somebody who may read everything. */
export async function ask(hub: HubProcess, path: string): Promise<{ status: number; body: Body }> {
  const headers = { authorization: `Bearer ${READER_TOKEN}` };
  const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
  const response = await fetch(`${hub.url}${path}`, { headers, signal });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

// deno-lint-ignore no-explicit-any -- tests look into whatever came
type Body = any;

/** Publishes a notification at a hub; its answer. */
export async function publishAt(
  hub: HubProcess,
  data: object,
  channel = "notification",
): Promise<{ status: number; seq: number; shared?: boolean }> {
  const response = await fetch(`${hub.url}/publish`, {
    method: "POST",
    headers: { authorization: `Bearer ${PUBLISHER_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ channel, data }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const { seq = -1, shared } = await response.json();
  return { status: response.status, seq, ...(shared === undefined ? {} : { shared }) };
}

/** Waits until a hub's status fits; its status then. */
export async function untilStatus(
  hub: HubProcess,
  fits: (status: HubStatus) => boolean,
  { timeoutMs = PATIENCE_MS, what = fits.toString() }: { timeoutMs?: number; what?: string } = {},
): Promise<HubStatus> {
  const lateAt = performance.now() + timeoutMs;
  let last: HubStatus | undefined;
  for (;;) {
    last = await statusOf(hub).catch(() => last);
    if (last !== undefined && fits(last)) return last;
    if (performance.now() > lateAt) {
      const { event, why } = hub.logs.findLast(({ event }) => event.startsWith("cluster.")) ??
        { event: "", why: "" };
      const seen = JSON.stringify({ cluster: last?.cluster, sources: last?.sources });
      throw new Error(`not so within ${timeoutMs} ms: ${what}; ${seen}; log: ${event} ${why}`);
    }
    await delay(ASK_EVERY_MS);
  }
}

export type Role = ClusterReport["role"];

/** Waits until a hub has this role. */
export async function untilRole(hub: HubProcess, role: Role, timeoutMs?: number): Promise<void> {
  await untilStatus(hub, ({ cluster }) => cluster.role === role, {
    what: `its role is "${role}"`,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

/** Waits until exactly one of these hubs leads and the others follow. */
export async function untilLed(
  hubs: readonly HubProcess[],
  timeoutMs: number = PATIENCE_MS,
): Promise<{ leader: HubProcess; followers: HubProcess[] }> {
  const lateAt = performance.now() + timeoutMs;
  for (;;) {
    const roles = await Promise.all(
      hubs.map((hub) => statusOf(hub).then(placeOf, () => undefined)),
    );
    const leader = hubs[roles.indexOf("leader")];
    const followers = hubs.filter((_, at) => roles[at] === "follower");
    if (leader !== undefined && followers.length === hubs.length - 1) return { leader, followers };
    if (performance.now() > lateAt) {
      throw new Error(`not one leader and followers within ${timeoutMs} ms: ${roles.join(", ")}`);
    }
    await delay(ASK_EVERY_MS);
  }
}

function isOpen({ cluster: { role, connected } }: HubStatus): boolean {
  return connected || role === "alone";
}

/** A hub that has lost the engine keeps its role for a while: it does not count. */
function placeOf({ cluster: { role, connected } }: HubStatus): Role | undefined {
  return connected ? role : undefined;
}

/**
 * Starts so many hubs of one cluster, and waits until they let clients in, unless told not to. They
 * are killed when the stack is disposed of.
 */
export async function startHubs(
  configs: readonly object[],
  stack: AsyncDisposableStack,
  { untilOpen = true }: { untilOpen?: boolean } = {},
): Promise<HubProcess[]> {
  const started = await Promise.allSettled(configs.map((config) => HubProcess.start(config)));
  const hubs = started.flatMap((each) => each.status === "fulfilled" ? each.value : []);
  for (const hub of hubs) stack.use(hub);
  const [failure] = started.flatMap((each) => each.status === "rejected" ? [each.reason] : []);
  if (failure !== undefined) throw failure;
  if (untilOpen) await Promise.all(hubs.map((hub) => untilStatus(hub, isOpen)));
  return hubs;
}
