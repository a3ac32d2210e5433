import type { JsonText } from "../../../src/protocol/codec.ts";
import { allSnapshots } from "../../../src/server/http/snapshot_routes.ts";
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";

const SOURCE = {
  statusChannels: () => ["a", "b", "secret", "empty"],
  values: {
    read: (channel: string) =>
      channel === "empty"
        ? undefined
        : { data: `"${channel}"` as JsonText, is_stale: false, cached_at: 5, age_ms: 1 },
  },
};

const READER = { mayRead: (channel: string) => channel !== "secret" };

Deno.test("allSnapshots() has every channel that has a value and may be read", async () => {
  const response = allSnapshots(SOURCE, READER);
  assertEquals(Object.keys(await response.json()), ["a", "b"]);
});

Deno.test("C11: allSnapshots() refuses what no text can hold, and says what can be had", async () => {
  const response = allSnapshots(SOURCE, READER, { maxLength: 5 });
  assertEquals(response.status, 503);
  assertStringIncludes((await response.json()).message, "/snapshot/CHANNEL");
  assertEquals(allSnapshots(SOURCE, READER, { maxLength: 6 }).status, 200);
});
