/**
 * One of three NATS servers after the other is killed, halted and restarted in order under publishers
 * and clients, with the default times: nothing that was accepted may be lost unsaid.
 * `HOLDFAST_SERVER_KILLS` (default 1) kills, `HOLDFAST_SERVER_HALTS` (default 1) halts, and as many
 * rounds of restarts as `HOLDFAST_SERVER_ROUNDS` says (default 1; 2 with more than one kill).
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
    const halts = numberFromEnv("HOLDFAST_SERVER_HALTS", 1);
    const rounds = numberFromEnv("HOLDFAST_SERVER_ROUNDS", kills > 1 ? 2 : 1);
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
    for (let nth = 0; nth < halts; nth++) {
      const halted = chance.pick(engine.servers);
      halted.stop();
      await sleep(DEAD_MS);
      halted.cont();
      await untilLed(hubs, SETTLE_MS);
      await sleep(WELL_MS);
    }
    for (let nth = 0; nth < rounds; nth++) {
      for (const server of engine.servers) {
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
    const startedOver = hubs.flatMap(({ logs }) => logs).filter(({ event }) =>
      event === "cluster.started_over"
    );
    say(
      `servers: ${kills} kills, ${halts} halts, ${
        3 * rounds
      } restarts in order: ${shared.length} of ${published} accepted for all, ${alone.length} by ` +
        `one alone, ${wentAlone.length} times a hub went alone, ` +
        `${startedOver.length} times one started over, ${gaps} gaps told to ${CLIENTS} clients`,
    );
    const facts = { shared, alone, given: backend.given, freshForMs: 60_000 };
    const breaches = told.flatMap((each) =>
      breachesIn(each, facts).map((breach) => `${breach}; ${storyOf(each)}`)
    );
    assertEquals(breaches.slice(0, 3), []);
    assertGreater(shared.length, 100);
  },
});
