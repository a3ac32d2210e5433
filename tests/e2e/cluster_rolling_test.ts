/**
 * Hubs that share one port, rolled one after the other under clients, and how long those are without a
 * live value. `HOLDFAST_ROLLING_CLIENTS` (default 40) clients of our library.
 */
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { breachesIn, storyOf } from "../chaos/rover_invariants.ts";
import { Polled } from "../chaos/polled.ts";
import { Rover } from "../chaos/rover.ts";
import { sleep } from "../chaos/storm_backend.ts";
import { StateDir } from "../state/support.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { ask, clusterConfig, publishAt, READER_TOKEN } from "../support/hub_cluster.ts";
import { HubProcess } from "../support/hub_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { withoutLiveMs } from "./live_values.ts";

const HUBS = 3;
const PUBLISH_EVERY_MS = 30;

/** What a hub that was rolled gets before the next one is, in milliseconds. */
const PAUSE_MS = 1500;

interface Form {
  readonly label: string;
  /** What goes into the configuration of the hub that has this folder. */
  readonly also: (dir: string) => object;
  /** A folder is one hub's at a time: who comes can have it only once who leaves has ended. */
  readonly endsFirst: boolean;
  /** What `/status` has of it. */
  readonly shown: { readonly workers: number | undefined; readonly state: boolean | undefined };
}

async function roll({ label, also, endsFirst, shown }: Form): Promise<void> {
  const count = numberFromEnv("HOLDFAST_ROLLING_CLIENTS", 40);
  const chance = new Chance(runSeed("rolling"));
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await NatsServer.start());
  const backend = stack.use(new Polled());
  const port = freePort();
  const dirs: string[] = [];
  for (let at = 0; at < HUBS; at++) dirs.push(stack.use(await StateDir.make()).path);
  const start = async (at: number) =>
    stack.use(
      await HubProcess.start(
        clusterConfig({
          nats: nats.url,
          backend: backend.url(at),
          cluster: { lease: "2s", grace: "15s", share_port: true },
          also: { shutdown: { drain: "3s", reconnect_within: "1s" }, ...also(dirs[at] ?? "") },
        }),
        { port },
      ),
    );
  const hubs: HubProcess[] = [];
  for (let at = 0; at < HUBS; at++) hubs.push(await start(at));
  const [anyOne] = hubs;
  assert(anyOne);
  const { body } = await ask(anyOne, "/status");
  assertEquals({ workers: body.workers?.length, state: body.state?.ok }, shown);
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
  const rolledFrom = Date.now();
  for (let at = 0; at < HUBS; at++) {
    const leaving = hubs.shift();
    assert(leaving);
    if (endsFirst) assertEquals(await leaving.stop(), 0);
    hubs.push(await start(at));
    if (!endsFirst) assertEquals(await leaving.stop(), 0);
    await sleep(PAUSE_MS);
  }
  const rolledUntil = Date.now();
  isOver = true;
  await publishing;
  while (!await publish()) await sleep(100);
  const last = published;
  await eventually("all have the last one", () => rovers.every(({ newest }) => newest >= last));
  const told = rovers.map((rover) => rover.told);
  const gaps = told.flat().filter(({ kind }) => kind === "gap").length;
  const welcomes = rovers.reduce((sum, { arrivals }) => sum + arrivals, 0);
  const without = told.map((each) => withoutLiveMs(each, { from: rolledFrom, until: rolledUntil }))
    .sort((a, b) => a - b);
  const seconds = (share: number) =>
    ((without[Math.floor(share * (without.length - 1))] ?? 0) / 1000).toFixed(1);
  say(
    `rolling, ${label}: ${HUBS} hubs rolled under ${count} clients, ${welcomes} welcomes, ` +
      `${shared.length} of ${published} accepted, ${gaps} gaps told; longest time of a client ` +
      `without a live value: p50 ${seconds(0.5)} s, p90 ${seconds(0.9)} s, max ${seconds(1)} s`,
  );
  const facts = { shared, given: backend.given, freshForMs: 60_000 };
  const breaches = told.flatMap((each) =>
    breachesIn(each, facts).map((breach) => `${breach}; ${storyOf(each)}`)
  );
  assertEquals(breaches.slice(0, 3), []);
  assertGreater(welcomes, count);
  // What can be missing is told; on a quiet machine there is nothing to tell.
  assert(gaps <= count / 10, `${gaps} gaps`);
  const mishaps = hubs.flatMap(({ complaints }) => complaints);
  assertEquals(mishaps, []);
}

Deno.test({
  name: "C59: a rolling restart of hubs on one port loses nothing unsaid, and tells hardly a gap",
  ignore: !hasNatsServer(),
  fn: () =>
    roll({
      label: "plain",
      also: () => ({}),
      endsFirst: false,
      shown: { workers: undefined, state: undefined },
    }),
});

Deno.test({
  name: "C59: a rolling restart of hubs with two workers and a state each is as quiet",
  ignore: !hasNatsServer(),
  fn: () =>
    roll({
      label: "two workers and state",
      also: (dir) => ({ workers: 2, state: { dir } }),
      endsFirst: true,
      shown: { workers: 2, state: true },
    }),
});
