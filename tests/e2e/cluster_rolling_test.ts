/**
 * Hubs that share one port, replaced one after the other under clients. `HOLDFAST_ROLLING_CLIENTS`
 * (default 40) clients of our library.
 */
import { assertEquals, assertGreater } from "../support/assert.ts";
import { breachesIn, storyOf } from "../chaos/rover_invariants.ts";
import { Polled } from "../chaos/polled.ts";
import { Rover } from "../chaos/rover.ts";
import { sleep } from "../chaos/storm_backend.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { clusterConfig, publishAt, READER_TOKEN } from "../support/hub_cluster.ts";
import { HubProcess } from "../support/hub_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";

const HUBS = 3;
const PUBLISH_EVERY_MS = 30;

/** What a hub that was replaced gets before the next one is, in milliseconds. */
const PAUSE_MS = 1500;

Deno.test({
  name: "C59: a rolling restart of hubs on one port loses nothing unsaid, and tells hardly a gap",
  ignore: !hasNatsServer(),
  async fn() {
    const count = numberFromEnv("HOLDFAST_ROLLING_CLIENTS", 40);
    const chance = new Chance(runSeed("rolling"));
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await NatsServer.start());
    const backend = stack.use(new Polled());
    const port = freePort();
    const start = async (at: number) =>
      stack.use(
        await HubProcess.start(
          clusterConfig({
            nats: nats.url,
            backend: backend.url(at),
            cluster: { lease: "2s", grace: "15s", share_port: true },
            also: { shutdown: { drain: "3s", reconnect_within: "1s" } },
          }),
          { port },
        ),
      );
    const hubs: HubProcess[] = [];
    for (let at = 0; at < HUBS; at++) hubs.push(await start(at));
    const address = `ws://127.0.0.1:${port}`;
    const rovers = Array.from({ length: count }, () =>
      stack.use(
        new Rover({ hubs: () => [address], token: READER_TOKEN, chance: chance.fork() }),
      ));
    await eventually("all are there", () => rovers.every(({ arrivals }) => arrivals > 0));
    const shared: number[] = [];
    let published = 0;
    let isOver = false;
    const publish = async () => {
      const [hub] = hubs;
      const number = ++published;
      const answer = hub && await publishAt(hub, { number }).catch(() => undefined);
      if (answer?.status === 202) shared.push(number);
      return answer?.status === 202;
    };
    const publishing = (async () => {
      while (!isOver) {
        await publish();
        await sleep(PUBLISH_EVERY_MS);
      }
    })();
    for (let at = 0; at < HUBS; at++) {
      const leaving = hubs.shift();
      hubs.push(await start(at));
      assertEquals(await leaving?.stop(), 0);
      await sleep(PAUSE_MS);
    }
    isOver = true;
    await publishing;
    while (!await publish()) await sleep(100);
    const last = published;
    await eventually("all have the last one", () => rovers.every(({ newest }) => newest >= last));
    const told = rovers.map((rover) => rover.told);
    const gaps = told.flat().filter(({ kind }) => kind === "gap").length;
    const welcomes = rovers.reduce((sum, { arrivals }) => sum + arrivals, 0);
    say(
      `rolling: ${HUBS} hubs replaced under ${count} clients, ${welcomes} welcomes, ${shared.length} of ` +
        `${published} accepted, ${gaps} gaps told`,
    );
    const facts = { shared, given: backend.given, freshForMs: 60_000 };
    const breaches = told.flatMap((each) =>
      breachesIn(each, facts).map((breach) => `${breach}; ${storyOf(each)}`)
    );
    assertEquals(breaches.slice(0, 3), []);
    assertGreater(welcomes, count);
    // What can be missing is told; on a quiet machine there is nothing to tell.
    assertEquals(gaps <= count / 10, true, `${gaps} gaps`);
  },
});
