import { logOf } from "../../telemetry/log.ts";

/** What a server says of itself. */
export interface NatsServerFacts {
  readonly version: string;
  /** It is one of several. */
  readonly isClustered: boolean;
}

/**
 * Judges the NATS servers that a hub finds, and tells once of each kind: a hub connects often, and
 * servers are replaced one by one.
 */
export class ServerVersions {
  readonly #told = new Set<string>();

  tell({ version, isClustered }: NatsServerFacts): void {
    const key = `${version} ${isClustered}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const log = logOf("cluster");
    const why = adviceOn({ version, isClustered });
    if (why === undefined) log.info("cluster.server", { version, clustered: isClustered });
    else log.warning("cluster.server_old", { version, clustered: isClustered, why });
  }
}

/** Why a server of this version is better replaced; undefined if nothing speaks against it. */
export function adviceOn({ version, isClustered }: NatsServerFacts): string | undefined {
  if (isBefore(version, 9)) return "hubs are tested with nats-server 2.9 and later";
  if (copiesMayDiffer({ version, isClustered })) {
    return "copies that several servers before 2.10 keep of a stream can come to differ after one of " +
      "them stood still or was killed: run 2.10 or later where there are three";
  }
  return undefined;
}

/** Whether several servers of this version can come to keep different copies of one stream. */
export function copiesMayDiffer({ version, isClustered }: NatsServerFacts): boolean {
  return isClustered && isBefore(version, 10);
}

/** Whether a version is older than 2 and this minor number. */
function isBefore(version: string, at: number): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 2 || major === 2 && minor < at;
}
