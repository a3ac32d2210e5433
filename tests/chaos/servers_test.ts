/**
 * One of three NATS servers after the other is killed under publishers and clients, with the default
 * times: nothing that was accepted may be lost unsaid. `HOLDFAST_SERVER_KILLS` (default 1) kills;
 * over 1, one server is halted as well, and all are restarted in order, twice.
 */
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import {
  clusterConfig,
  publishAt,
  READER_TOKEN,
  startHubs,
  untilLed,
} from "../support/hub_cluster.ts";
import { hasNatsServer } from "../support/nats.ts";
import { NatsCluster } from "../support/nats_cluster.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { Polled } from "./polled.ts";
import { Rover } from "./rover.ts";
import { breachesIn, storyOf } from "./rover_invariants.ts";
import { sleep } from "./storm_backend.ts";

const HUBS = 3;
const CLIENTS = 12;
const PUBLISH_EVERY_MS = 20;

/** Hubs and servers find together again within this time, in milliseconds. */
const SETTLE_MS = 60_000;

/** How long a server stays dead, and how long all is well before the next one dies, in milliseconds. */
const DEAD_MS = 9000;
const WELL_MS = 3000;

Deno.test({
  name:
    "C56: of three NATS servers one after the other is killed, halted and restarted, and nothing accepted is lost unsaid",
  ignore: !hasNatsServer(),
  async fn() {
    const kills = numberFromEnv("HOLDFAST_SERVER_KILLS", 1);
    const chance = new Chance(runSeed("servers"));
    await using stack = new AsyncDisposableStack();
    const engine = stack.use(await NatsCluster.start(3));
    const backend = stack.use(new Polled());
    const configs = Array.from({ length: HUBS }, (_, at) =>
      clusterConfig({
        nats: engine.urls,
        backend: backend.url(at),
        cluster: { lease: "5s", grace: "15s" },
      }));
    const hubs = await startHubs(configs, stack);
    await untilLed(hubs, SETTLE_MS);
    const hubOf = (number: number) => {
      const hub = hubs[number % HUBS];
      assert(hub);
      return hub;
    };
    const rovers = Array.from({ length: CLIENTS }, () =>
      stack.use(
        new Rover({
          hubs: () => hubs.map(({ url }) => url.replace(/^http/, "ws")),
          token: READER_TOKEN,
          chance: chance.fork(),
        }),
      ));
    await eventually("all are there", () => rovers.every(({ arrivals }) => arrivals > 0));
    const shared: number[] = [];
    const alone: { number: number; at: number }[] = [];
    let published = 0;
    let isOver = false;
    // One after the other, so that the order of the stream is that of their numbers.
    const publishing = (async () => {
      while (!isOver) {
        const number = ++published;
        const answer = await publishAt(hubOf(number), { number }).catch(() => undefined);
        if (answer?.status === 202 && answer.shared === false) {
          alone.push({ number, at: Date.now() });
        } else if (answer?.status === 202) shared.push(number);
        await sleep(PUBLISH_EVERY_MS);
      }
    })();
    for (let nth = 0; nth < kills; nth++) {
      const server = nth % 2 === 0
        ? await engine.leaderOf("holdfast_holdfast")
        : chance.pick(engine.servers);
      await server.kill();
      await sleep(DEAD_MS);
      await untilLed(hubs, SETTLE_MS);
      await server.restart();
      await sleep(WELL_MS);
    }
    // The long form alone: once in six runs on a loaded machine a hub had not joined again a minute
    // after a halted server went on, for a reason that is still to be found.
    if (kills > 1) {
      const halted = chance.pick(engine.servers);
      halted.stop();
      await sleep(DEAD_MS);
      halted.cont();
      await untilLed(hubs, SETTLE_MS);
      for (const server of [...engine.servers, ...engine.servers]) {
        await server.end();
        await server.restart();
        await sleep(WELL_MS);
        await untilLed(hubs, SETTLE_MS);
      }
    }
    isOver = true;
    await publishing;
    const last = ++published;
    for (let tries = 0; (await publishAt(hubOf(0), { number: last })).status !== 202; tries++) {
      assert(tries < 100, "nothing can be published any more");
      await sleep(100);
    }
    shared.push(last);
    await eventually("all have the last one", () => rovers.every(({ newest }) => newest >= last));
    const told = rovers.map((rover) => rover.told);
    const gaps = told.flat().filter(({ kind }) => kind === "gap").length;
    const wentAlone = hubs.flatMap(({ logs }) => logs).filter(({ event }) =>
      event === "cluster.alone"
    );
    say(
      `servers: ${kills} kills${
        kills > 1 ? ", one halted, six restarts in order" : ""
      }: ${shared.length} of ${published} accepted for all, ${alone.length} by ` +
        `one alone, ${wentAlone.length} times a hub went alone, ${gaps} gaps told to ${CLIENTS} clients`,
    );
    const facts = { shared, alone, given: backend.given, freshForMs: 60_000 };
    const breaches = told.flatMap((each) =>
      breachesIn(each, facts).map((breach) => `${breach}; ${storyOf(each)}`)
    );
    assertEquals(breaches.slice(0, 3), []);
    assertGreater(shared.length, 100);
  },
});
