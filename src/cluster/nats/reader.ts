import {
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
} from "@nats-io/jetstream";
import type { Clock } from "../../resilience/clock.ts";
import type { Stored } from "../broker.ts";
import { apiCodeOf, isDeleted, NATS_API, whyOf } from "./errors.ts";
import { readingCopyOf } from "./leaders_copy.ts";
import type { Ask } from "./lease.ts";

export interface NatsReaderOptions {
  clock: Clock;
  ask: Ask;
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** Name of the stream. */
  stream: string;
  /** Largest message of the server, in bytes; 0 if it does not say. */
  maxPayload: number;
  /** Aborted when the broker is lost. */
  lost: AbortSignal;
  /** Whether the stream is the one that was opened: numbers of another one say something else. */
  isSame: () => Promise<boolean>;
  /** The server whose copy is to be read, if that matters. Default: any. */
  copyOf?: () => Promise<string | undefined>;
  /** The stream cannot be read any more. */
  lose: (why: string) => void;
}

/** The reader hears from the broker at least this often, in milliseconds, or it is replaced. */
const HEARTBEAT_MS = 1000;
const MAX_HEARTBEATS_MISSED = 2;

/** A reader that cannot be replaced at once is tried again so often, at this pace in ms. */
const RETRIES = 10;
const RETRY_MS = 200;

/** While there is no consumer, the stream is looked at so often, and one is tried to be made, in ms. */
const ASK_EVERY_MS = 100;
const CONSUME_AGAIN_MS = 2000;

/** A reader nobody reads with any more is forgotten by the server after this long, in ms. */
const FORGOTTEN_AFTER_MS = 30_000;

/**
 * Entries asked for ahead of their being read: so many, or fewer where entries may be large. A server
 * ends a connection for which 64 MiB wait, and would do so each time a hub catches up.
 */
const READ_AHEAD = 256;
const READ_AHEAD_BYTES = 32 * 1024 * 1024;

/**
 * Reads a JetStream stream in order, with an ordered consumer. That lives on one server of several
 * and is not heard of again if that one dies; then another goes on where it left off.
 */
export class NatsReader {
  readonly #options: NatsReaderOptions;
  /** What was read last: another reader begins with it, for its server may hold another in that place. */
  #last: Stored | undefined;

  constructor(options: NatsReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads from this number on until the broker is lost; resolves once it has begun. Where NATS cannot
   * make a consumer, as its servers elect who leads them, entries are asked for one by one meanwhile.
   */
  async read(from: number, onEntry: (entry: Stored) => void): Promise<void> {
    const keeping = (entry: Stored) => {
      this.#last = entry;
      onEntry(entry);
    };
    await this.#read(from, keeping);
  }

  async #read(from: number, onEntry: (entry: Stored) => void): Promise<void> {
    try {
      await this.#consume(from, onEntry);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (cause instanceof StreamReplaced || isDeleted(cause) || this.#options.lost.aborted) {
        throw error;
      }
      const { last_seq } = await this.#state();
      void this.#askOneByOne({ from, upTo: last_seq, onEntry });
    }
  }

  /** Asks for each entry there is, until a consumer can be made that goes on. */
  async #askOneByOne(
    { from, upTo, onEntry }: { from: number; upTo: number; onEntry: (entry: Stored) => void },
  ): Promise<void> {
    const { clock, lost, lose } = this.#options;
    let next = from;
    let triedAt = clock.now();
    let failures = 0;
    let isCompared = false;
    for (let last = upTo; !lost.aborted;) {
      try {
        const read = this.#last;
        if (!isCompared && read !== undefined) {
          const entry = await this.#entry(read.seq);
          if (entry !== undefined && entry.text !== read.text) return lose(otherThan(read));
        }
        isCompared = true;
        for (; next <= last && !lost.aborted; next++) {
          const entry = await this.#entry(next);
          if (entry !== undefined && !lost.aborted) onEntry(entry);
        }
        if (clock.now() - triedAt >= CONSUME_AGAIN_MS) {
          triedAt = clock.now();
          const isConsumed = await this.#consume(next, onEntry).then(() => true, () => false);
          if (isConsumed) return;
        }
        await clock.sleep(ASK_EVERY_MS, { signal: lost }).catch(() => {});
        last = (await this.#state()).last_seq;
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures > RETRIES) lose(whyOf(error));
        await clock.sleep(RETRY_MS, { signal: lost }).catch(() => {});
      }
    }
  }

  async #state(): Promise<{ readonly last_seq: number }> {
    const { ask, jsm, stream, isSame } = this.#options;
    return await ask(async () => {
      if (!await isSame()) throw new StreamReplaced("the stream was made anew");
      return (await jsm.streams.info(stream)).state;
    });
  }

  async #entry(seq: number): Promise<Stored | undefined> {
    const { ask, jsm, stream } = this.#options;
    return await ask(async () => {
      try {
        const message = await jsm.streams.getMessage(stream, { seq });
        return message === null ? undefined : { seq, text: message.string() };
      } catch (error) {
        if (apiCodeOf(error) === NATS_API.messageNotFound) return undefined; // it is kept no longer
        throw error;
      }
    });
  }

  async #consume(from: number, onEntry: (entry: Stored) => void): Promise<void> {
    const { ask, js, stream, maxPayload, isSame, copyOf, lost, lose } = this.#options;
    const read = this.#last;
    let next = from;
    // A consumer that comes about after its time has successors already.
    let isTooLate = false;
    const messages = await ask(async () => {
      const consumer = await readingCopyOf(await copyOf?.(), () =>
        js.consumers.get(stream, {
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: read?.seq ?? from,
          inactive_threshold: FORGOTTEN_AFTER_MS,
        }));
      const { name } = await consumer.info(true);
      if (!await isSame()) throw new StreamReplaced("the stream was made anew");
      const reading = await consumer.consume({
        max_messages: readAhead(maxPayload),
        idle_heartbeat: HEARTBEAT_MS,
        abort_on_missing_resource: true,
        callback: (message) => {
          if (lost.aborted || isTooLate) return;
          if (message.seq === read?.seq && message.string() !== read.text) {
            isTooLate = true; // for whatever is on its way
            return reading.stop(new StreamReplaced(otherThan(read)));
          }
          if (message.seq < next) return;
          // The library replaces a consumer that is gone, on whatever stream has the name by now.
          if (message.info.consumer !== name) return reading.stop(new FellSilent());
          next = message.seq + 1;
          onEntry({ seq: message.seq, text: message.string() });
        },
      });
      if (isTooLate) reading.stop();
      return reading;
    }).catch((error) => {
      isTooLate = true;
      throw error;
    });
    const onLost = () => messages.stop();
    lost.addEventListener("abort", onLost, { once: true });
    void watch(messages);
    void messages.closed().then(async (error) => {
      lost.removeEventListener("abort", onLost);
      if (lost.aborted) return;
      if (error instanceof FellSilent) await this.#readAgain(next, onEntry);
      else lose(error ? whyOf(error) : "the stream could not be read any more");
    });
  }

  /** The next reader may land on a server that is stopped: one of a few will not. */
  async #readAgain(from: number, onEntry: (entry: Stored) => void): Promise<void> {
    const { clock, lost, lose } = this.#options;
    for (let tries = 0; !lost.aborted; tries++) {
      try {
        return await this.#read(from, onEntry);
      } catch (error) {
        const isOver = tries >= RETRIES ||
          error instanceof Error && error.cause instanceof StreamReplaced;
        if (isOver) lose(whyOf(error));
        else await clock.sleep(RETRY_MS, { signal: lost }).catch(() => {});
      }
    }
  }
}

function readAhead(maxPayload: number): number {
  const fitting = Math.floor(READ_AHEAD_BYTES / Math.max(1, maxPayload));
  return Math.max(1, Math.min(READ_AHEAD, fitting));
}

/** Stops a reader that is not heard of any more. */
async function watch(messages: ConsumerMessages): Promise<void> {
  for await (const status of messages.status()) {
    if (status.type === "heartbeats_missed" && status.count >= MAX_HEARTBEATS_MISSED) {
      messages.stop(new FellSilent());
    }
  }
}

function otherThan({ seq }: Stored): string {
  return `entry ${seq} is not the one that was read before`;
}

class StreamReplaced extends Error {}

/** The reader has to be replaced. */
class FellSilent extends Error {}
