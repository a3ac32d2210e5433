import type { App } from "../../src/server/app.ts";
import { startLogs } from "../../src/telemetry/log.ts";
import { clientThreads } from "../../src/workers/client_thread_pool.ts";
import { assert, assertEquals, assertGreater, assertRejects } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { configOf, startApp, statusOf, wsUrl } from "../support/hub_in_process.ts";
import { Scrape } from "../support/scrape.ts";
import { WsClient } from "../support/ws_client.ts";
import { clientsOnAll, closeAll, resumeQuery, say } from "./support.ts";

const ENTRY = new URL("trouble_thread.ts", import.meta.url);
const SECOND = "worker 2";

/** A hub of two threads that can be done harm to; `lookEveryMs`: its patience with them. */
function startTroubled(
  changes: object = {},
  { entry = ENTRY, lookEveryMs = 250 }: { entry?: URL; lookEveryMs?: number } = {},
): Promise<App> {
  return startApp(
    { workers: 2, ...changes, hub: { heartbeat_every: "50ms" } },
    { openThreads: clientThreads(undefined, { entry, lookEveryMs }) },
  );
}

/** Those that were cut off come back, and miss nothing that was said to them or meanwhile. */
async function comeBack(app: App, gone: readonly WsClient[], heard: string): Promise<void> {
  assertGreater(gone.length, 0);
  for (const client of gone) {
    await using back = await WsClient.connect(`${wsUrl(app)}?${resumeQuery(client)}`);
    assert(back.frames[0]?.data.recovered, "what it missed is there");
    await back.waitFor(({ data }) => data.title === heard);
  }
}

Deno.test("workers: a thread that hangs is told, ended and replaced; its clients go on elsewhere", async () => {
  await using app = await startTroubled();
  const clients = await clientsOnAll(app);
  const { workers: [, second] } = await statusOf(app);
  say(app, "throw", SECOND);
  await Promise.all(clients.map((client) => client.waitForBeats(2)));
  assertEquals((await statusOf(app)).workers.length, 2);
  assert(app.areThreadsAlive, "an error that nobody caught ends no thread");
  say(app, "hang", SECOND);
  await eventually("it is seen to hang", () => !app.areThreadsAlive);

  // Those who come from now on come to others, and are told.
  for (let nth = 0; nth < 12; nth++) {
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const response = await fetch(`${app.url}/status`, { client });
    const { workers, total_clients } = await response.json();
    assertEquals(workers[1].why, "it hangs: nothing was heard of it for some seconds");
    assertGreater(workers[1].loop_lag_ms, 1000);
    assertEquals([workers[0].why, total_clients], [undefined, clients.length]);
  }
  assertEquals((await Scrape.of(app)).get(`holdfast_worker_up{worker="2"}`), 0);
  assertEquals((await Scrape.of(app)).get(`holdfast_worker_up{worker="1"}`), 1);
  await using newcomer = await WsClient.connect(wsUrl(app));
  await newcomer.waitForBeats(2);

  const gone = () => clients.filter(({ end }) => end !== undefined);
  await eventually("its clients are cut off", () => gone().length === second.clients);
  await comeBack(app, gone(), "hang");
  await eventually("another has taken its place", () => app.areThreadsAlive);
  const scrape = await Scrape.of(app);
  assertEquals(scrape.get("holdfast_worker_restarts_total"), 1);
  assertEquals(scrape.get("holdfast_mishaps_total"), 1);
  await clientsOnAll(app).then(closeAll);
  await closeAll(clients);
});

Deno.test("workers: a thread that hangs for less goes on, and listens again", async () => {
  await using app = await startTroubled();
  const clients = await clientsOnAll(app);
  say(app, "pause", SECOND);
  await eventually("it is seen to hang", () => !app.areThreadsAlive);
  say(app, "meanwhile");
  await Promise.all(
    clients.map((client) => client.waitFor(({ data }) => data.title === "meanwhile")),
  );
  await eventually("it is heard of again", () => app.areThreadsAlive);
  assertEquals(clients.filter(({ end }) => end !== undefined), []);
  const { workers: [, { clients: before }] } = await statusOf(app);
  const others = await Promise.all(
    Array.from({ length: 24 }, () => WsClient.connect(wsUrl(app))),
  );
  assertGreater((await statusOf(app)).workers[1].clients, before);
  await closeAll([...clients, ...others]);
});

Deno.test("workers: a thread that cannot take what it is told ends, and its clients miss nothing", async () => {
  await using app = await startTroubled();
  const clients = await clientsOnAll(app);
  const { workers: [, second] } = await statusOf(app);
  say(app, "poison", SECOND);
  const gone = () => clients.filter(({ end }) => end !== undefined);
  await eventually("its clients are cut off", () => gone().length === second.clients);
  say(app, "after");
  await comeBack(app, gone(), "poison");
  await comeBack(app, gone(), "after");
  await eventually("another has taken its place", () => app.areThreadsAlive);
  await closeAll(clients);
});

Deno.test("workers: a thread that dies again and again is begun again ever more rarely, once at a time", async () => {
  const lines: { event: string; worker?: number; why?: string; next_try_within_ms?: number }[] = [];
  await using _logs = startLogs({
    level: "info",
    format: "json",
    write: (line) => lines.push(JSON.parse(line)),
  });
  const told = (event: string) => lines.filter((line) => line.event === event);
  const file = await Deno.makeTempFile({ prefix: "holdfast-doomed-" });
  const starts = async () =>
    (await Deno.readTextFile(file)).split("\n").filter((line) => line === SECOND).length;
  try {
    const entry = new URL(`${ENTRY}?doomed=${encodeURIComponent(file)}`);
    await using app = await startTroubled({}, { entry });
    const clients = await clientsOnAll(app);
    await Deno.writeTextFile(file, "doomed\n");
    say(app, "poison", SECOND);
    await eventually("it was tried four times", () => told("worker.not_begun").length === 4);
    assertEquals(await starts(), told("worker.not_begun").length, "one try after the other");
    assertEquals(told("worker.ended").map(({ worker, why }) => [worker, why]), [
      [2, "cannot take this"],
    ]);
    const { workers } = await statusOf(app);
    assertEquals(workers[1], {
      clients: 0,
      loop_lag_ms: 0,
      why: "it ended, and another is begun",
    });
    const waits = told("worker.not_begun").map(({ next_try_within_ms: ms = 0 }) => ms);
    assertEquals(waits, [200, 400, 800, 1600]);
    assert(told("worker.not_begun")[0]?.why?.includes("this thread is doomed"));
    await WsClient.connect(wsUrl(app)).then((client) => client.close());

    await Deno.writeTextFile(file, "");
    await eventually("another has taken its place", () => app.areThreadsAlive);
    assertEquals(await starts(), 1);
    assertEquals(told("worker.begun_again").length, 1);
    await clientsOnAll(app).then(closeAll);
    await closeAll(clients);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("workers: a hub whose threads cannot begin does not start, says why, and leaves nothing behind", async () => {
  const file = await Deno.makeTempFile({ prefix: "holdfast-doomed-" });
  try {
    await Deno.writeTextFile(file, "doomed\n");
    const entry = new URL(`${ENTRY}?doomed=${encodeURIComponent(file)}`);
    await assertRejects(() => startTroubled({}, { entry }), Error, "this thread is doomed");
  } finally {
    await Deno.remove(file);
  }
});

for (const [what, word] of [["hangs", "hang"], ["has died", "poison"]] as const) {
  Deno.test(`workers: a stop does not wait for a thread that ${what}, nor does a reload`, async () => {
    const before = { shutdown: { drain: "300ms" }, channels: { backup_status: {} } };
    const app = await startTroubled(before);
    const clients = await clientsOnAll(app);
    const { workers: [first] } = await statusOf(app);
    say(app, word, SECOND);
    // Its end may come at any moment of what follows.
    await app.reload(
      configOf({ ...before, workers: 2, channels: { backup_status: {}, other_status: {} } }),
    );
    const told = () =>
      clients.filter(({ frames }) =>
        frames.some(({ type, data }) =>
          type === "subscribed" && data.channels.includes("other_status")
        )
      );
    await eventually("the others' clients know", () => told().length >= first.clients);
    await app.shutdown();
    const codes = (await Promise.all(clients.map((client) => client.waitForEnd())))
      .map(({ code }) => code);
    assert(codes.filter((code) => code === 1001).length >= first.clients, `${codes}`);
  });
}

Deno.test("workers: a stop goes on when a thread dies in the middle of it", async () => {
  const app = await startTroubled({ shutdown: { drain: "5s" } });
  const clients = await clientsOnAll(app);
  const { workers: [first] } = await statusOf(app);
  const stopped = app.shutdown();
  say(app, "poison", SECOND);
  await stopped;
  const codes = (await Promise.all(clients.map((client) => client.waitForEnd())))
    .map(({ code }) => code);
  assert(codes.filter((code) => code === 1001).length >= first.clients, `${codes}`);
});
