import { assert, assertEquals } from "../support/assert.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";

function shutdownOf({ transport }: TestClient): Record<string, unknown> {
  const frame = transport.frames.find(({ data }) => data.code === "SERVER_SHUTDOWN");
  return { type: frame?.type, ...frame?.data.data as Record<string, unknown> };
}

Deno.test("Hub.announceShutdown() reaches everybody, each with a time of its own to come back", async () => {
  await using bench = new HubBench();
  const clients = Array.from(
    { length: 50 },
    (_, nth) => bench.connect({ channels: nth % 2 ? [] : ["error"] }),
  );
  bench.hub.announceShutdown(3000, 5000);
  const told = clients.map(shutdownOf);
  assertEquals(new Set(told.map(({ type }) => type)), new Set(["error"]));
  assertEquals(new Set(told.map(({ deadline_ms }) => deadline_ms)), new Set([3000]));
  const waits = told.map(({ reconnect_after_ms }) => Number(reconnect_after_ms));
  // Each has a slice of its own: 100 ms here, give or take the rounding at its borders.
  waits.forEach((wait, nth) => assert(wait >= 100 * nth && wait <= 100 * (nth + 1), `${wait}`));
  assert(new Set(waits).size > 40, "they differ");
  assert(waits.every((wait) => wait > 0 && wait <= 5000));
});

Deno.test("Hub.closeFlushed() closes those that have taken everything, with force all others too", async () => {
  await using bench = new HubBench();
  const other = bench.connect();
  const stalled = bench.connectStalled();
  bench.hub.announceShutdown(3000, 5000);
  assertEquals(bench.hub.closeFlushed(), 1);
  assertEquals(other.transport.closed?.code, 1001);
  assertEquals(stalled.transport.closed, undefined);
  assertEquals(bench.hub.closeFlushed({ force: true }), 0);
  assertEquals(stalled.transport.closed?.code, 1001);
  await bench.clock.advance(5000);
  assertEquals(bench.hub.errorMetrics().errors_by_code, { SERVER_SHUTDOWN: 2 });
});

Deno.test("Hub.closeFlushed() first hands over what waits", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled({ channels: ["notification"] });
  bench.hub.broadcast("notification", text({ n: 1 }));
  bench.hub.announceShutdown(3000, 5000);
  client.transport.isStalled = false;
  client.transport.take();
  assertEquals(bench.hub.closeFlushed(), 0);
  assertEquals(client.transport.types, ["error", "notification"], "the news of the end goes first");
});
