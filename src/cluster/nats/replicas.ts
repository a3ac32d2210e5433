import { apiCodeOf, NATS_API } from "./errors.ts";

/** How many servers of a NATS cluster keep a copy: any one of three can be lost. */
export const REPLICAS = 3;

/** Makes something with as many replicas as it should have, or one where there is one server. */
export async function withReplicas<T>(make: (replicas: number) => Promise<T>): Promise<T> {
  try {
    return await make(REPLICAS);
  } catch (error) {
    if (apiCodeOf(error) !== NATS_API.replicasNeedCluster) throw error;
    return await make(1);
  }
}
