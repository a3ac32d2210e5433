/** A hub that comes to a stream of large values. */
import { encodeEntry, type Entry } from "../../src/cluster/entry.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import { open } from "../cluster/nats/support.ts";
import { assertEquals, assertLess } from "../support/assert.ts";
import { clusterConfig, startHubs, untilStatus } from "../support/hub_cluster.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { numberFromEnv, say } from "../support/seed.ts";

const HUBS = 3;
const VALUE_BYTES = 500_000;

/** How long joining may take on a machine that is busy with other things, in milliseconds. */
const JOIN_MS = 20_000;

Deno.test({
  name:
    "C55: a hub joins a stream of 300 values of 500 KB, leads, and joins again after its engine was away",
  ignore: !hasNatsServer(),
  async fn() {
    const values = numberFromEnv("HOLDFAST_JOIN_VALUES", 300);
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await NatsServer.start());
    const backend = stack.use(new RpcBackend());
    {
      await using broker = await open(nats.url, {
        cluster: "holdfast",
        limits: { maxEntries: 2 * values, maxAgeMs: 300_000 },
      });
      const data = JSON.stringify("x".repeat(VALUE_BYTES)) as JsonText;
      const [epoch, hub] = ["epoch", "before"];
      let after = 0;
      for (let nth = 0; nth <= values; nth++) {
        const timestamp = Math.floor(Date.now() / 1000);
        const status = { is_stale: false, cached_at: timestamp, age_ms: 0 };
        const entry: Entry = nth === 0 ? { kind: "claim", epoch, term: 1, after, hub } : {
          kind: "broadcast",
          ...{ epoch, term: 1, after, hub, timestamp, status, data },
          type: "system_status",
        };
        const appended = await broker.append(encodeEntry(entry), {
          as: "leader",
          id: `${nth}`,
          fence: after,
        });
        if (appended.kind === "stored") after = appended.seq;
      }
      assertEquals(after, values + 1);
    }
    const from = performance.now();
    const config = clusterConfig({ nats: nats.url, backend: backend.url });
    const hubs = await startHubs(Array.from({ length: HUBS }, () => config), stack);
    for (const hub of hubs) await untilStatus(hub, ({ cluster }) => cluster.connected);
    const joinedMs = performance.now() - from;
    await nats.kill();
    for (const hub of hubs) await untilStatus(hub, ({ cluster }) => cluster.role === "alone");
    const again = performance.now();
    await nats.restart();
    for (const hub of hubs) await untilStatus(hub, ({ cluster }) => cluster.connected);
    const againMs = performance.now() - again;
    // NATS counts anew since its start: this is what they have read to come back.
    const { connections } = await nats.ask("/connz") as {
      connections: { readonly out_bytes: number; readonly out_msgs: number }[];
    };
    const read = connections.map(({ out_bytes, out_msgs }) =>
      `${(out_bytes / 1000).toFixed(1)} KB in ${out_msgs} messages`
    );
    say(
      `join: ${values} values of ${VALUE_BYTES} bytes; ${HUBS} hubs started and joined in ` +
        `${Math.round(joinedMs)} ms, came back in ${
          Math.round(againMs)
        } ms with NATS' own start; ` +
        `each connection's hub read for that: ${read.join(", ")}`,
    );
    assertEquals(connections.length, HUBS);
    // Nothing large was written meanwhile: of the stream's values not even one is read again.
    for (const { out_bytes } of connections) assertLess(out_bytes, VALUE_BYTES);
    assertLess(joinedMs, JOIN_MS);
    assertLess(againMs, JOIN_MS);
    const { slow_consumers } = await nats.ask("/varz") as { slow_consumers: number };
    assertEquals(slow_consumers, 0);
  },
});
