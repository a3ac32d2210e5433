import { logOf } from "../../telemetry/log.ts";
import type { NatsServerFacts } from "./broker.ts";

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
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isBefore = (at: number) => major < 2 || major === 2 && minor < at;
  if (isBefore(9)) return "hubs are tested with nats-server 2.9 and later";
  if (isClustered && isBefore(10)) {
    return "copies that several servers before 2.10 keep of a stream can come to differ after one of " +
      "them stood still or was killed: run 2.10 or later where there are three";
  }
  return undefined;
}
