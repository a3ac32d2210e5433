import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { logOf } from "../../telemetry/log.ts";
import type { NatsNames } from "./names.ts";
import { apiCodeOf, NATS_API, whyOf } from "./errors.ts";
import { withReplicas } from "./replicas.ts";

/** Bounds on what the stream keeps. */
export interface StreamLimits {
  /** Entries kept of each kind, the leader's and everybody's. */
  readonly maxEntries: number;
  /** Milliseconds. */
  readonly maxAgeMs: number;
}

/**
 * The stream keeps its entries for at least this long, in milliseconds, however little the hubs
 * keep: the newest leader's entry is what tells who leads.
 */
const MIN_AGE_MS = 60_000;

/** For the same reason it keeps some, in any case. */
const MIN_ENTRIES = 16;

/** An entry offered twice within this time, in milliseconds, is stored once. */
const DUPLICATE_WINDOW_MS = 120_000;

const DESCRIPTION = "What Holdfast hubs of one cluster broadcast";

/** Behind the description stands the stream's own name for this life of it. */
const ID = /; id (\S+)$/;

/**
 * Makes the stream if it is not there. One that is there is only ever made larger: of hubs that keep
 * different amounts the largest decides, so that none takes from another what its clients may still
 * ask for. Nothing is written that changes nothing, for a write needs more of NATS than reading does.
 */
export async function ensureStream(
  jsm: JetStreamManager,
  names: NatsNames,
  limits: StreamLimits,
): Promise<StreamInfo> {
  try {
    return await enlarged(jsm, await jsm.streams.info(names.stream), limits);
  } catch (error) {
    if (apiCodeOf(error) !== NATS_API.streamNotFound) throw error;
  }
  const age = ageOf(limits);
  try {
    return await withReplicas((num_replicas) =>
      jsm.streams.add({
        name: names.stream,
        description: `${DESCRIPTION}; id ${crypto.randomUUID()}`,
        subjects: [names.lead, names.any],
        max_msgs_per_subject: entriesOf(limits),
        max_age: age,
        duplicate_window: Math.min(age, nanos(DUPLICATE_WINDOW_MS)),
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.Old,
        storage: StorageType.File,
        num_replicas,
      })
    );
  } catch (error) {
    // Another hub made it in this moment, with a name of its own for it.
    if (apiCodeOf(error) !== NATS_API.streamNameInUse) throw error;
    return await enlarged(jsm, await jsm.streams.info(names.stream), limits);
  }
}

/**
 * Names this life of a stream. It is the hubs' own name, in the description: NATS' `created` changes
 * with updates, and its servers before 2.10 keep no metadata. One made by a hub of before that has no
 * such name yet, and is given what was its time of creation when a hub first looked.
 */
export function streamIdOf({ config: { description = "" }, created }: StreamInfo): string {
  return ID.exec(description)?.[1] ?? created;
}

async function enlarged(
  jsm: JetStreamManager,
  info: StreamInfo,
  limits: StreamLimits,
): Promise<StreamInfo> {
  const { config } = info;
  const changes: Partial<StreamConfig> = {
    ...(ID.test(config.description ?? "")
      ? {}
      : { description: `${DESCRIPTION}; id ${streamIdOf(info)}` }),
    ...(isBelow(config.max_msgs_per_subject, entriesOf(limits))
      ? { max_msgs_per_subject: entriesOf(limits) }
      : {}),
    ...(isBelow(config.max_age, ageOf(limits)) ? { max_age: ageOf(limits) } : {}),
  };
  if (Object.keys(changes).length === 0) return info;
  try {
    return await jsm.streams.update(config.name, changes);
  } catch (error) {
    // As it is it serves, only with a shorter history; the next hub that joins tries again.
    logOf("cluster").warning("cluster.stream_not_updated", { why: whyOf(error) });
    return info;
  }
}

/** Whether a limit is narrower than what is wanted; 0 and -1 are none. */
function isBelow(limit: number, wanted: number): boolean {
  return limit > 0 && limit < wanted;
}

function entriesOf({ maxEntries }: StreamLimits): number {
  return Math.max(MIN_ENTRIES, maxEntries);
}

function ageOf({ maxAgeMs }: StreamLimits): number {
  return nanos(Math.max(MIN_AGE_MS, maxAgeMs));
}
