// @ts-types="../../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { MAX_PLACED, readingCopyOf } from "../../../src/cluster/nats/leaders_copy.ts";
import { copiesMayDiffer } from "../../../src/cluster/nats/server_version.ts";
import { assertEquals } from "../../support/assert.ts";
import { hasNatsServer } from "../../support/nats.ts";
import { NatsCluster } from "../../support/nats_cluster.ts";
import { PATIENCE_MS } from "../../support/until.ts";
import { openInTime, readFrom } from "./support.ts";

/** Consumers that NATS places on these servers, one after the other, and those that were deleted. */
function placedOn(...servers: readonly string[]) {
  const deleted: string[] = [];
  let made = 0;
  const make = () => {
    const server = servers[made % servers.length] ?? "";
    const name = `${++made} on ${server}`;
    return Promise.resolve({
      name,
      info: () => Promise.resolve({ cluster: { leader: server } }),
      delete() {
        deleted.push(name);
        return Promise.reject(new Error("no answer"));
      },
    });
  };
  return { make, deleted };
}

Deno.test("C61: readingCopyOf() makes consumers until one is where the stream is led", async () => {
  const { make, deleted } = placedOn("n2", "n3", "n1");
  assertEquals((await readingCopyOf("n1", make)).name, "3 on n1");
  assertEquals(deleted, ["1 on n2", "2 on n3"]);
});

Deno.test("C61: readingCopyOf() takes what there is where it does not matter, or cannot be had", async () => {
  const any = placedOn("n2");
  assertEquals((await readingCopyOf(undefined, any.make)).name, "1 on n2");
  assertEquals((await readingCopyOf("n1", any.make)).name, `${1 + MAX_PLACED} on n2`);
  assertEquals(any.deleted.length, MAX_PLACED - 1, "the last one is read");
});

Deno.test({
  name:
    "C61: NatsBroker reads the copy of the server that leads the stream, where copies may differ",
  ignore: !hasNatsServer(),
  async fn() {
    await using nats = await NatsCluster.start(3);
    await using stack = new AsyncDisposableStack();
    let version = "";
    for (const url of nats.urls) {
      const onServer = (server: { readonly version: string }) => version = server.version;
      const broker = stack.use(await openInTime({ servers: [url] }, { onServer }));
      await broker.append("entry", { as: "anyone", id: crypto.randomUUID() });
      const { until } = await readFrom(broker, 1);
      await until(1);
    }
    if (!copiesMayDiffer({ version, isClustered: true })) return;
    const leader = await nats.leaderOf("holdfast_test");
    // What was made elsewhere is deleted behind the reader's back, or forgotten by its server.
    const lateAt = performance.now() + PATIENCE_MS;
    let places: (string | undefined)[] = [];
    do {
      await delay(100);
      const asked = nats.servers.map((server) => server.ask("/jsz?streams=true&consumers=true"));
      places = (await Promise.all(asked)).flatMap(placesOf);
    } while (places.some((server) => server !== leader.name) && performance.now() < lateAt);
    assertEquals(new Set(places), new Set([leader.name]));
  },
});

/** On which servers the stream's consumers live, as one server's monitor tells. */
function placesOf(told: unknown): (string | undefined)[] {
  const { account_details = [] } = told as {
    account_details?: {
      stream_detail?: {
        name: string;
        consumer_detail?: { cluster?: { leader?: string } }[];
      }[];
    }[];
  };
  return account_details.flatMap(({ stream_detail = [] }) => stream_detail)
    .filter(({ name }) => name === "holdfast_test")
    .flatMap(({ consumer_detail = [] }) => consumer_detail.map(({ cluster }) => cluster?.leader));
}
