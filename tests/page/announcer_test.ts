import { Announcer } from "../../src/page/announcer.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("Announcer.say() has read aloud only what holds, and once", async () => {
  const { promise: read, resolve } = Promise.withResolvers<void>();
  const heard: (string | null)[] = [];
  const announcer = new Announcer({
    get textContent() {
      return heard.at(-1) ?? null;
    },
    set textContent(text) {
      heard.push(text);
      resolve();
    },
  });
  announcer.say("1 of 4 sources is stale");
  announcer.say("All 4 sources are live");
  announcer.say("1 of 4 sources is stale");
  announcer.say("1 of 4 sources is stale");
  await read;
  announcer.say("1 of 4 sources is stale");
  assertEquals(heard, ["1 of 4 sources is stale"]);
});
