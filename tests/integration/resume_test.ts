import type { App } from "../../src/server/app.ts";
import { json } from "../../src/protocol/codec.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { WsClient } from "../support/ws_client.ts";

/** The query of a client that comes back. */
function resumeQuery(client: WsClient, since: number): string {
  const { session, epoch } = client.frames[0]?.data ?? {};
  return `session=${session}&epoch=${epoch}&since=${since}`;
}

function titlesOf(client: WsClient): number[] {
  return client.frames.filter(({ type }) => type === "notification").map(({ data }) => data.title);
}

function say(app: App, title: number): number {
  return app.hub.broadcast("notification", json({ title }));
}

Deno.test("a WebSocket client resumes while broadcasts go on, each exactly once", async () => {
  await using app = await startApp({
    hub: { outbox_messages: 20, history_messages: 1_000_000 },
  });
  const titles: number[] = [];
  let published = 0;
  // More than may wait for a client are missed in each gap.
  const talking = setInterval(() => {
    for (let n = 0; n < 10; n++) say(app, published++);
  }, 1);
  try {
    let query = "channels=notification";
    for (let connection = 0; connection < 6; connection++) {
      const batch = connection % 2 ? "&batch=1" : "";
      const client = await WsClient.connect(`${wsUrl(app)}?${query}${batch}`);
      const goal = published + 30;
      await client.waitFor(({ data }) => data.title >= goal);
      await client.close();
      assertEquals(client.frames[0]?.data.gap, false);
      titles.push(...titlesOf(client));
      const last = client.frames.findLast(({ seq }) => seq !== undefined);
      query = `channels=notification&${resumeQuery(client, last?.seq ?? 0)}`;
      const missed = published + 50;
      await eventually("more was missed than may wait", () => published > missed);
    }
  } finally {
    clearInterval(talking);
  }
  const [begin = 0] = titles;
  assert(titles.length > 6 * 30);
  assertEquals(titles, titles.map((_, at) => begin + at));
});

Deno.test("a client that was too slow is told so when it comes back, and gets what it missed", async () => {
  await using app = await startApp({
    hub: { stall_timeout: "300ms", heartbeat_every: "50ms", outbox_messages: 1000 },
  });
  await using witness = await WsClient.connect(`${wsUrl(app)}?channels=connection_error`);
  using slow = await RawClient.connect(`${wsUrl(app)}?channels=notification,compression_update`);
  const welcome = JSON.parse(await slow.readText());
  const padding = json({ data: "x".repeat(200_000) });
  const feeding = setInterval(() => app.hub.broadcast("compression_update", padding), 5);
  const { data } = await witness.waitForCode("SLOW_CLIENT").finally(() => clearInterval(feeding));
  assertEquals(data.data.client_id, welcome.data.session);
  for (let title = 0; title < 5; title++) say(app, title);

  const { session, epoch, seq } = welcome.data;
  const query = `channels=notification&session=${session}&epoch=${epoch}&since=${seq}`;
  await using back = await WsClient.connect(`${wsUrl(app)}?${query}`);
  await back.waitFor(({ data }) => data.title === 4);
  const { previous_close, recovered, gap } = back.frames[0]?.data ?? {};
  assertEquals([previous_close, recovered, gap], ["SLOW_CLIENT", true, false]);
  assertEquals(titlesOf(back), [0, 1, 2, 3, 4]);
});

Deno.test("a client that nothing was sent to resumes, and one of another life is told of a gap", async () => {
  await using app = await startApp({});
  const first = await WsClient.connect(wsUrl(app));
  await first.close();
  const seq = first.frames[0]?.data.seq;
  say(app, 1);
  await using back = await WsClient.connect(`${wsUrl(app)}?${resumeQuery(first, seq)}`);
  await back.waitFor(({ data }) => data.title === 1);
  assertEquals([back.frames[0]?.data.recovered, titlesOf(back)], [true, [1]]);

  for (
    const broken of ["since=1", "epoch=x&since=0", "since=-1", "since=nonsense", "since=99999"]
  ) {
    const { session, epoch } = first.frames[0]?.data ?? {};
    const at = broken.startsWith("epoch") ? "" : `&epoch=${epoch}`;
    await using client = await WsClient.connect(`${wsUrl(app)}?session=${session}${at}&${broken}`);
    const { gap, recovered } = client.frames[0]?.data ?? {};
    assertEquals([gap, recovered], broken === "since=1" ? [false, true] : [true, false], broken);
  }
});

Deno.test("batch=1 puts what waits into one text frame, and a frame alone stays an object", async () => {
  await using app = await startApp({});
  using client = await RawClient.connect(`${wsUrl(app)}?channels=notification&batch=1`);
  assertEquals(JSON.parse(await client.readText()).type, "welcome");
  for (let title = 0; title < 5; title++) say(app, title);
  const sizes: number[] = [];
  for (let title = 0; title < 5;) {
    const value = JSON.parse(await client.readText());
    const frames = Array.isArray(value) ? value : [value];
    for (const { data } of frames) assertEquals(data.title, title++);
    assertEquals(Array.isArray(value), frames.length > 1, "a list of one is none");
    sizes.push(frames.length);
  }
  assert(Math.max(...sizes) > 1, "what waited went together");
});
