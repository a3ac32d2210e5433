import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { within } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";

/** An HTTP server of the runtime's, on a port of its choice. */
function serving(answer: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const channels = (count: number) => Array.from({ length: count }, (_, index) => `disk_${index}`);

Deno.test("C19: a health check's 404 beside 502s closes no breaker and starts no ladder anew", async () => {
  const watched = Promise.withResolvers<void>();
  await using server = serving(async ({ url }) => {
    await watched.promise; // nothing fails before somebody hears of it
    return new Response(null, { status: new URL(url).pathname === "/health" ? 404 : 502 });
  });
  await using app = await startApp({
    backends: {
      core: {
        transport: "http-json",
        url: server.url,
        retry: { attempts: 1 },
        breaker: { failures: 3, open_for: "300ms", max_open_for: "1m" },
        health_check: { method: "health", every: "50ms" },
      },
    },
    sources: channels(3).map((channel) => ({
      channel,
      backend: "core",
      method: channel,
      every: "100ms",
      stale_after: "1m",
    })),
  });
  await using client = await WsClient.connect(wsUrl(app));
  watched.resolve();
  const opened = () =>
    client.frames.filter(({ data }) => data.code === "CIRCUIT_OPEN")
      .map(({ data }) => data.data.retry_after_ms);
  await eventually("it was opened thrice", () => opened().length === 3);
  const [first = 0, second = 0, third = 0] = opened();
  assertEquals(first, 300);
  assert(second > 400 && third > 800, `the ladder goes on: ${opened()}`);
  assertEquals(client.frames.filter(({ data }) => data.code === "RPC_RECOVERED"), []);
  const lastError = async () => {
    const { backends } = await (await fetch(`${app.url}/status`)).json();
    return backends.core.last_error.replace(/:\d+/, "");
  };
  const said = async () => {
    for (;;) { // the next check is at hand
      const error = await lastError();
      if (error.startsWith("health check")) return error;
    }
  };
  assertEquals(
    await within(said(), { explain: () => "no check was told of" }),
    "health check: GET http://127.0.0.1/health: HTTP 404 Not Found",
  );
});

Deno.test("C20: thirty sources of one pace put no more than `max_in_flight` calls on their backend", async () => {
  let underWay = 0;
  let most = 0;
  const asked = new Map<string, number>();
  await using server = serving(async ({ url }) => {
    most = Math.max(most, ++underWay);
    const { pathname } = new URL(url);
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    underWay--;
    return Response.json(1);
  });
  await using _app = await startApp({
    backends: { core: { transport: "http-json", url: server.url, max_in_flight: 4 } },
    sources: channels(30).map((channel) => ({
      channel,
      backend: "core",
      method: channel,
      every: "500ms",
    })),
  });
  await eventually(
    "every source was asked twice",
    () => asked.size === 30 && [...asked.values()].every((times) => times >= 2),
  );
  assertGreater(most, 1);
  assert(most <= 4, `${most} at a time`);
});

Deno.test("batch: sources due together share one request, poll after poll", async () => {
  const sizes: number[] = [];
  await using server = serving(async (request) => {
    const calls: { id: number; method: string }[] = await request.json();
    sizes.push(calls.length);
    return Response.json(
      calls.map(({ id, method }) =>
        method === "disk_3"
          ? { jsonrpc: "2.0", id, error: { code: 5, message: "no such disk" } }
          : { jsonrpc: "2.0", id, result: method }
      ).reverse(),
    );
  });
  await using app = await startApp({
    backends: {
      core: { transport: "json-rpc", url: server.url, batch: true, retry: { attempts: 1 } },
    },
    sources: channels(20).map((channel) => ({
      channel,
      backend: "core",
      method: channel,
      every: "300ms",
    })),
  });
  await eventually("three rounds", () => sizes.length >= 3);
  assertEquals(sizes.slice(0, 3), [20, 20, 20]);
  const { sources } = await (await fetch(`${app.url}/status`)).json();
  assert(sources.disk_3.last_error.endsWith("JSON-RPC error 5: no such disk"));
  assertEquals(sources.disk_4.last_error, null);
  assertEquals((await (await fetch(`${app.url}/snapshot/disk_4`)).json()).data, "disk_4");
});
