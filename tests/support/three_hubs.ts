import { clusterConfig, readerUrl, startHubs } from "./hub_cluster.ts";
import type { HubProcess } from "./hub_process.ts";
import { NatsServer } from "./nats.ts";
import { RpcBackend } from "./rpc_backend.ts";
import { WsClient } from "./ws_client.ts";

/** Three hubs, each with a backend of its own, so that it can be told which of them polls. */
export async function threeHubs(stack: AsyncDisposableStack, also: { cluster?: object } = {}) {
  const nats = stack.use(await NatsServer.start());
  const backends = [1, 2, 3].map(() => stack.use(new RpcBackend()));
  const configs = backends.map(({ url }) =>
    clusterConfig({ nats: nats.url, backend: url, ...also })
  );
  return { nats, backends, hubs: await startHubs(configs, stack) };
}

/** A client at each of these hubs. */
export async function clientsOf(hubs: readonly HubProcess[], stack: AsyncDisposableStack) {
  const clients = await Promise.all(hubs.map((hub) => WsClient.connect(readerUrl(hub))));
  for (const client of clients) stack.use(client);
  return clients;
}

/** Where a client goes on that leaves: behind its newest notification. */
export function resumeOf({ session, frames }: WsClient) {
  const { epoch, seq } = frames[0]?.data ?? {};
  const since = frames.findLast(({ type }) => type === "notification")?.seq ?? seq;
  return { session, epoch: String(epoch), since: String(since) };
}
