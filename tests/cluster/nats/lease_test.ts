/** The lease against real nats-servers. */
import { assert, assertEquals, assertGreater } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { hasNatsServer, NatsServer } from "../../support/nats.ts";
import { NatsCluster } from "../../support/nats_cluster.ts";
import { open, openInTime } from "./support.ts";

const ignore = !hasNatsServer();

Deno.test({
  name: "NatsBroker grants its lease to one of many, for as long as it is renewed",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using stack = new AsyncDisposableStack();
    const brokers = await Promise.all([1, 2, 3, 4].map((n) => open(nats.url, { hub: `${n}` })));
    for (const broker of brokers) stack.use(broker);
    const terms = await Promise.all(brokers.map(({ lease }, at) => lease.take(`hub ${at}`)));
    const won = terms.flatMap((term, at) => term === undefined ? [] : at);
    assertEquals(won.length, 1);
    const [first = 0] = won;
    const [holder, other] = [brokers[first], brokers[(first + 1) % 4]];
    assert(holder && other);
    // Longer than the lease lasts.
    const until = performance.now() + 1500;
    while (performance.now() < until) assertEquals(await holder.lease.renew(), true);
    assertEquals(await other.lease.take("other"), undefined);
    assert(await holder.lease.take(`hub ${first}`), "its own, as after a lost connection");
    let freed = 0;
    await other.onLeaseFreed(() => freed += 1);
    await holder.lease.release();
    await eventually("the others hear of it", () => freed > 0);
    const term = await other.lease.take("other");
    assert(term !== undefined && term > (terms[first] ?? 0), "terms grow");
    assertEquals(await holder.lease.renew(), false);
    // Nobody renews it: it runs out.
    let next: number | undefined;
    const lateAt = performance.now() + 15_000;
    while (next === undefined && performance.now() < lateAt) next = await holder.lease.take("next");
    assert(next !== undefined && next > term);
    assertEquals(await other.lease.renew(), false);
  },
});

Deno.test({
  name: "NatsBroker grants its lease to one of many also where three servers keep it",
  ignore,
  async fn() {
    await using nats = await NatsCluster.start(3);
    await using stack = new AsyncDisposableStack();
    const brokers = await Promise.all(
      nats.urls.map((url, at) => openInTime({ servers: [url] }, { hub: `${at}`, leaseMs: 10_000 })),
    );
    for (const broker of brokers) stack.use(broker);
    let wins = 0;
    for (let round = 0; round < 30; round++) {
      const terms = await Promise.all(
        // One that is not answered has it no more than one that is told no.
        brokers.map(({ lease }, at) => lease.take(`hub ${at}`).catch(() => undefined)),
      );
      const holders = brokers.filter((_, at) => terms[at] !== undefined);
      // Two may both be told no where they were in each other's way, but never both yes.
      assert(holders.length <= 1, `round ${round}: ${terms}`);
      wins += holders.length;
      for (const { lease } of holders) await lease.release().catch(() => {});
    }
    assertGreater(wins, 0);
  },
});
