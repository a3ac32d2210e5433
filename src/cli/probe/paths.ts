/** Checks of the paths beside `/ws`. */
import { ask, type Reply } from "./ask.ts";
import { type Check, failed, ok, skipped } from "./check.ts";
import { askHub, type ProbeContext } from "./context.ts";
import { isObject, type Json, shown } from "./shapes.ts";

export async function checkHealthz(context: ProbeContext): Promise<Check> {
  const reply = await askHub(context, "/healthz");
  return reply.ok && reply.status === 200
    ? ok("healthz", "200")
    : failed("healthz", `/healthz: ${said(reply)}`);
}

export async function checkReadyz(context: ProbeContext): Promise<Check> {
  const reply = await askHub(context, "/readyz");
  if (reply.ok && reply.status === 200) return ok("readyz", "200");
  const why = reply.ok && isObject(reply.body) ? reply.body["why"] : undefined;
  const reasons = why === undefined ? "" : `: ${shown(why)}`;
  return failed("readyz", `/readyz: ${said(reply)}${reasons}`);
}

/** A hub that asks for a token must do so everywhere. */
export async function checkAuth(
  { address, token, access, signal }: ProbeContext,
): Promise<Check> {
  if (token === undefined) return skipped("auth", "no token was given");
  const statuses: string[] = [];
  for (const path of ["/snapshot", "/status"]) {
    const reply = await ask(address, path, { token: undefined, access, signal });
    if (!reply.ok) return failed("auth", `${path}: ${reply.why}`);
    statuses.push(`${path} ${reply.status}`);
  }
  const shut = statuses.filter((each) => each.endsWith(" 401"));
  if (shut.length === statuses.length) {
    return ok("auth", `without the token: ${statuses.join(", ")}`);
  }
  return shut.length === 0
    ? skipped("auth", "this hub asks for no token")
    : failed("auth", `without the token: ${statuses.join(", ")}`);
}

const STATES: readonly unknown[] = ["closed", "open", "half_open"];

/** `/status` while this probe is connected. */
export function judgeStatus(reply: Reply): Check {
  if (!reply.ok || reply.status !== 200) return failed("status", `/status: ${said(reply)}`);
  const { body } = reply;
  if (!isObject(body)) return failed("status", "/status is not a JSON object");
  const faults = statusFaults(body);
  const { backends, sources, version, cluster } = body;
  if (faults.length > 0) return failed("status", faults.slice(0, 3).join("; "));
  const counted = [backends, sources].map((each) => Object.keys(each as Json).length);
  const place = isObject(cluster) ? `, ${cluster["role"]} among ${hubsOf(cluster)} hubs` : "";
  return ok("status", `version ${version}, ${counted[0]} backends, ${counted[1]} sources${place}`);
}

function statusFaults(body: Json): string[] {
  const faults: string[] = [];
  if (typeof body["version"] !== "string") faults.push(`version is ${shown(body["version"])}`);
  const counts = [
    "uptime_seconds",
    "total_clients",
    "error_count",
    "slow_client_drops",
    "read_errors",
    "write_errors",
  ];
  for (const name of counts) {
    const value = body[name];
    if (typeof value !== "number" || !(value >= 0)) faults.push(`${name} is ${shown(value)}`);
  }
  const { cluster, total_clients } = body;
  if (cluster !== undefined) faults.push(...clusterFaults(cluster));
  // Among several hubs another one may have answered than the one this probe is connected to.
  if (total_clients === 0 && !(isObject(cluster) && hubsOf(cluster) > 1)) {
    faults.push("total_clients is 0 although this probe is connected");
  }
  for (const name of ["errors_by_code", "backends", "sources"]) {
    if (!isObject(body[name])) faults.push(`${name} is ${shown(body[name])}, not an object`);
  }
  for (const [name, backend] of entries(body["backends"])) {
    const state = isObject(backend) ? backend["state"] : undefined;
    if (!STATES.includes(state)) faults.push(`backends.${name}.state is ${shown(state)}`);
    for (const field of ["consecutive_failures", "retry_after_ms"]) {
      const value = isObject(backend) ? backend[field] : undefined;
      if (typeof value !== "number") faults.push(`backends.${name}.${field} is ${shown(value)}`);
    }
  }
  for (const [channel, source] of entries(body["sources"])) {
    const isStale = isObject(source) ? source["is_stale"] : undefined;
    if (typeof isStale !== "boolean") {
      faults.push(`sources.${channel}.is_stale is ${shown(isStale)}`);
    }
    for (const field of ["last_success", "age_ms"]) {
      const value = isObject(source) ? source[field] : undefined;
      if (value !== null && typeof value !== "number") {
        faults.push(`sources.${channel}.${field} is ${shown(value)}`);
      }
    }
  }
  return faults;
}

const ROLES: readonly unknown[] = ["leader", "follower", "alone"];

function clusterFaults(cluster: unknown): string[] {
  if (!isObject(cluster)) return [`cluster is ${shown(cluster)}, not an object`];
  const { role, connected, clients_connected, hubs } = cluster;
  const faults: string[] = [];
  if (!ROLES.includes(role)) faults.push(`cluster.role is ${shown(role)}`);
  if (typeof connected !== "boolean") faults.push(`cluster.connected is ${shown(connected)}`);
  if (typeof clients_connected !== "number" || !(clients_connected >= 0)) {
    faults.push(`cluster.clients_connected is ${shown(clients_connected)}`);
  }
  if (!Array.isArray(hubs) || hubs.length === 0) faults.push(`cluster.hubs is ${shown(hubs)}`);
  return faults;
}

function hubsOf({ hubs }: Json): number {
  return Array.isArray(hubs) ? hubs.length : 0;
}

function entries(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

/** What came of a question, in short. */
export function said(reply: Reply): string {
  return reply.ok ? `HTTP ${reply.status}` : reply.why;
}
