import { assert, assertEquals } from "../support/assert.ts";
import { isExecutable } from "../support/command_line.ts";
import { HubProcess } from "../support/hub_process.ts";
import { Scrape } from "../support/scrape.ts";
import { WsClient } from "../support/ws_client.ts";

const UNRULY = new URL("unruly.ts", import.meta.url).pathname;

Deno.test({
  name: "errors that nobody catches cost no client its connection, are logged once and counted",
  ignore: isExecutable(), // nothing can be run inside of it
  async fn() {
    await using hub = await HubProcess.start({
      backends: { host: { transport: "host" } },
      sources: [{
        channel: "system_status",
        backend: "host",
        method: "GetSystemStatus",
        every: "50ms",
      }],
      hub: { heartbeat_every: "100ms" },
    }, { preload: UNRULY });
    await using client = await WsClient.connect(hub.ws());
    hub.signal("SIGUSR2");
    let mishaps = 0;
    while (mishaps < 20) {
      await client.waitForBeats(1);
      mishaps = (await Scrape.of(hub)).get("holdfast_mishaps_total") ?? 0;
    }
    const from = client.frames.length;
    await client.waitForBeats(2);
    await client.waitFor(({ type, data }) => type === "system_status" && !data.is_stale, { from });
    assertEquals(await hub.stop(), 0);
    const lines = hub.logs.filter(({ event }) => event === "process.mishap");
    assertEquals(
      lines.map(({ level, kind, why }) => [level, kind, why]).sort(),
      [
        ["error", "error", "Error: a callback of nobody"],
        ["error", "rejection", "Error: a promise of nobody"],
      ],
    );
    assert(lines.every(({ stack }) => String(stack).includes("unruly.ts")), JSON.stringify(lines));
    assertEquals(hub.complaints.length, lines.length, "and it says nothing else");
  },
});
