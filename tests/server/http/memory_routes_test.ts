import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { startApp } from "../../support/hub_in_process.ts";
import { json } from "../../../src/protocol/codec.ts";
import { eventually } from "../../support/eventually.ts";

const TOKENS = {
  tokens: [
    { name: "all", token: "all-t0ken", channels: ["*"], publish: true },
    { name: "part", token: "part-t0ken", channels: ["heat"], publish: false },
  ],
};

const CONFIG = {
  auth: TOKENS,
  channels: {
    heat: { title: "Heat", group: "Hall", unit: "°C", order: 2 },
    secret_queue: {},
  },
};

async function ask(url: string, token = "all-t0ken"): Promise<[number, Record<string, unknown>]> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return [response.status, await response.json()];
}

async function publish(url: string, channel: string, data: unknown): Promise<void> {
  const response = await fetch(`${url}/publish`, {
    method: "POST",
    headers: { authorization: "Bearer all-t0ken" },
    body: JSON.stringify({ channel, data }),
  });
  assertEquals(response.status, 202);
  await response.body?.cancel();
}

Deno.test("GET /points gives the numbers of channels that the token may read", async () => {
  await using app = await startApp(CONFIG);
  await publish(app.url, "heat", { press: 21.5, name: "press 7" });
  await publish(app.url, "secret_queue", 3);
  const [, all] = await ask(`${app.url}/points`);
  assertEquals(Object.keys(all), ["heat", "secret_queue"]);
  const [status, part] = await ask(`${app.url}/points?for=15m`, "part-t0ken");
  assertEquals([status, Object.keys(part)], [200, ["heat"]]);
  const { lines } = part.heat as { lines: object[] };
  assertEquals(lines, [{ name: "Press", unit: "°C", values: [21.5] }]);
  assertEquals(Object.keys((await ask(`${app.url}/points?channels=heat`))[1]), ["heat"]);
  for (const bad of ["never", "2d", "0s"]) {
    const [status, { message }] = await ask(`${app.url}/points?for=${bad}`);
    assertEquals(status, 400, bad);
    assertStringIncludes(String(message), `"for"`);
  }
});

Deno.test("GET /notifications gives the latest, newest first, to who may read them", async () => {
  await using app = await startApp(CONFIG);
  for (let index = 0; index < 60; index++) {
    app.hub.broadcast("notification", json({ title: `n${index}`, level: "info" }));
  }
  const [, { notifications }] = await ask(`${app.url}/notifications`);
  const list = notifications as { type: string; data: { title: string } }[];
  assertEquals([list.length, list[0]?.data.title, list[0]?.type], [50, "n59", "notification"]);
  assertEquals((await ask(`${app.url}/notifications`, "part-t0ken"))[0], 403);
});

Deno.test("GET /status says how a channel is to be shown", async () => {
  await using app = await startApp(CONFIG);
  const [, { sources }] = await ask(`${app.url}/status`);
  const { title, group, unit, order } = (sources as Record<string, Record<string, unknown>>).heat ??
    {};
  assertEquals([title, group, unit, order], ["Heat", "Hall", "°C", 2]);
});

Deno.test("GET /uptime gives steps where they are asked for", async () => {
  await using app = await startApp(CONFIG);
  await publish(app.url, "heat", 1);
  const [, { heat }] = await ask(`${app.url}/uptime?for=1h&steps=4`);
  const { steps } = heat as { steps: number[][] };
  assertEquals(steps.length, 4);
  assertEquals(steps[0], [0, 0, 900], "nothing is known of before the hub began");
  assertEquals((await ask(`${app.url}/uptime?steps=201`))[0], 400);
  assertEquals((await ask(`${app.url}/uptime?steps=x`))[0], 400);
});

Deno.test("GET /incidents?id= gives one", async () => {
  await using app = await startApp({
    sources: [{ channel: "x", backend: "none", method: "M", every: "100ms" }],
    backends: {
      none: { transport: "json-rpc", url: "http://127.0.0.1:1/", retry: { attempts: 1 } },
    },
  });
  await eventually("an incident has begun", () => {
    const { sources } = app.statusReport();
    return sources.x?.last_error !== null;
  });
  const [, { incidents }] = await ask(`${app.url}/incidents`);
  const [first] = incidents as { id: string }[];
  const [, one] = await ask(`${app.url}/incidents?id=${first?.id}`);
  assertEquals((one.incidents as { id: string }[]).map(({ id }) => id), [first?.id]);
  assertEquals((await ask(`${app.url}/incidents?id=other`))[1], { incidents: [] });
});
