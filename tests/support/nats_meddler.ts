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
