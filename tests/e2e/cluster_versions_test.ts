/** Hubs of the version before and of this one in one cluster, as a rolling upgrade has them. */
import { assert, assertEquals } from "../support/assert.ts";
import { isFresh, notified } from "../support/cluster_frames.ts";
import { clusterConfig, publishAt, untilLed } from "../support/hub_cluster.ts";
import { HubProcess } from "../support/hub_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { hasOldVersion, OldVersion } from "../support/old_version.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { clientsOf } from "../support/three_hubs.ts";

Deno.test({
  name:
    "hubs of the version before and of this one share a stream, whoever leads, one replaced after the other",
  ignore: !hasNatsServer() || !hasOldVersion(),
  async fn() {
    await using stack = new AsyncDisposableStack();
    const old = stack.use(new OldVersion());
    const nats = stack.use(await NatsServer.start());
    const backend = stack.use(new RpcBackend());
    const config = clusterConfig({ nats: nats.url, backend: backend.url });
    const start = async (program?: string) =>
      stack.use(await HubProcess.start(config, program === undefined ? {} : { program }));
    const hubs = [await start(old.folder), await start(old.folder)];
    await untilLed(hubs);
    let n = 0;
    // In the middle an old one leads, then a new one, and at last there are new ones alone.
    for (let replaced = 0; replaced <= 2; replaced++) {
      const fresh = await start();
      hubs.push(fresh);
      await untilLed(hubs);
      const clients = await clientsOf(hubs, stack);
      const sent = [];
      for (const hub of hubs) {
        sent.push(++n);
        assertEquals((await publishAt(hub, { n })).status, 202);
      }
      for (const client of clients) {
        await client.waitFor(({ data }) => data.n === n);
        await client.waitForCount(2, isFresh, { from: client.frames.length });
        assertEquals(notified(client.frames), sent);
        assertEquals(client.end, undefined);
      }
      const [leaving] = hubs;
      if (replaced === 2 || leaving === undefined) break;
      hubs.shift();
      assertEquals(await leaving.stop(), 0);
      await untilLed(hubs);
    }
    const { leader } = await untilLed(hubs);
    assert(hubs.includes(leader));
    for (const hub of hubs) {
      assertEquals(hub.complaints, []);
      assertEquals(hub.logs.filter(({ event }) => event === "cluster.alone"), []);
    }
  },
});
