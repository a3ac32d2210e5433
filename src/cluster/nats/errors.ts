import { JetStreamApiError } from "@nats-io/jetstream";

/** JetStream's own error codes, as its server's `errors.json` lists them. */
export const NATS_API = {
  streamNotFound: 10059,
  messageNotFound: 10037,
  wrongLastSequence: 10071,
  streamNameInUse: 10058,
  /** A server that is not one of several was asked for more than one replica. */
  replicasNeedCluster: 10074,
  /** JetStream has no leader, or too few servers, at the moment. */
  unavailable: 10008,
  noLeader: 10009,
} as const;

/** The JetStream error code, if the server refused something; undefined for any other failure. */
export function apiCodeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

/** What went wrong, for a log: the first line, without anything that may be secret. */
export function whyOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const [line = "unknown"] = text.split("\n");
  // A server's address may have been written with a password in it.
  return line.replaceAll(/\/\/[^/@\s]*@/g, "//");
}
