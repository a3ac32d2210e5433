import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "../support/assert.ts";
import { HubProcess } from "../support/hub_process.ts";
import { WsClient } from "../support/ws_client.ts";

Deno.test("the embedded default streams this machine's live values", async () => {
  await using hub = await HubProcess.start();
  await using client = await WsClient.connect(hub.ws());
  for (const channel of ["system_status", "storage_update"]) {
    // The second broadcast shows that it goes on: it comes one period after the first.
    await client.waitForCount(2, ({ type, seq }) => type === channel && seq !== undefined);
    const values = client.frames.filter(({ type, seq }) => type === channel && seq !== undefined);
    for (const { data } of values) {
      assertEquals(data.is_stale, false);
      assertEquals(data.error, undefined);
      assertLess(data.age_ms, 5000);
    }
    const [first, second] = values;
    assertGreater(second?.seq ?? 0, first?.seq ?? 0);
  }

  const system = client.frames.findLast(({ type }) => type === "system_status")?.data.data;
  assertEquals(system.hostname, Deno.hostname());
  assertEquals(system.memory.total_bytes, Deno.systemMemoryInfo().total);
  assertAlmostEquals(system.uptime_seconds, Deno.osUptime(), 60);
  const storage = client.frames.findLast(({ type }) => type === "storage_update")?.data.data;
  assertGreater(JSON.stringify(storage).match(/"total_bytes":[1-9]/g)?.length ?? 0, 0);

  const ready = await fetch(`${hub.url}/readyz`);
  assertEquals([ready.status, await ready.json()], [200, { ready: true }]);
  assertEquals(await hub.stop(), 0);
  assertEquals(hub.complaints, []);
});
