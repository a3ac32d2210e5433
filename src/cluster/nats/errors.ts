import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/nats-core";

/** JetStream's own error codes, as its server's `errors.json` lists them. */
export const NATS_API = {
  streamNotFound: 10059,
  messageNotFound: 10037,
  wrongLastSequence: 10071,
  streamNameInUse: 10058,
  /** A server that is not one of several was asked for more than one replica. */
  replicasNeedCluster: 10074,
} as const;

/** The JetStream error code, if the server refused something; undefined for any other failure. */
export function apiCodeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

/** Refusals that are answers: somebody else was there first, or there is nothing there. */
const ANSWERS: readonly (number | undefined)[] = [
  NATS_API.wrongLastSequence,
  NATS_API.messageNotFound,
];

/** Whether the server did its part, only not as was hoped. */
export function isAnswer(error: unknown): boolean {
  return ANSWERS.includes(apiCodeOf(error));
}

/** Whether a stream, or the one behind a bucket, is surely not there. */
export function isDeleted(error: unknown): boolean {
  return apiCodeOf(error) === NATS_API.streamNotFound;
}

/** Whether it is not there, or nobody serves it now. */
export function isMissing(error: unknown): boolean {
  return isDeleted(error) || findsNobody(error);
}

/** What is published for a stream that is not there, or has no leader, finds nobody who listens. */
function findsNobody(error: unknown): boolean {
  return error instanceof errors.NoRespondersError ||
    error instanceof Error && error.cause !== undefined && findsNobody(error.cause);
}

/** What went wrong, for a log: the first line, without anything that may be secret. */
export function whyOf(error: unknown): string {
  // The library takes it for a server without JetStream, which would have been told at the start.
  if (findsNobody(error)) return "it has no leader at the moment, or is gone";
  const text = error instanceof Error ? error.message || error.name : String(error);
  const [line = "unknown"] = text.split("\n");
  // A server's address may have been written with a password in it.
  return line.replaceAll(/\/\/[^/@\s]*@/g, "//");
}
