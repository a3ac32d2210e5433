// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connectionOptions } from "../../src/cluster/nats/address.ts";
import { connectNats } from "../../src/cluster/nats/transport.ts";

/** Does something to an engine that its hubs did not ask for. */
export async function meddle(
  url: string,
  how: (jsm: JetStreamManager) => Promise<unknown>,
): Promise<void> {
  const connection = await connectNats(connectionOptions({ servers: [url] }, "meddler"));
  try {
    await how(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

/** What is published by a flood at a time, and how often: those that read take it easily. */
const FLOOD_BYTES = 900_000;
const FLOOD_EVERY_MS = 40;

/** Messages of a flood at most; far more than all buffers on the way to somebody who reads nothing. */
const MAX_FLOOD = 200;

/** Publishes large messages that nobody keeps, until something is so. */
export async function flood(
  url: string,
  subject: string,
  isEnough: () => Promise<boolean>,
): Promise<void> {
  const connection = await connectNats(connectionOptions({ servers: [url] }, "flood"));
  const message = new Uint8Array(FLOOD_BYTES);
  try {
    for (let sent = 0; !await isEnough(); sent++) {
      if (sent === MAX_FLOOD) throw new Error(`${sent} messages on "${subject}" changed nothing`);
      connection.publish(subject, message);
      await connection.flush();
      await delay(FLOOD_EVERY_MS);
    }
  } finally {
    await connection.close();
  }
}
