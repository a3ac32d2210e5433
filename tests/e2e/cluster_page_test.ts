/// <reference lib="dom" />
import axe from "axe-core";
import { assertEquals } from "../support/assert.ts";
import { Chromium, hasChromium, type Page } from "../support/browser.ts";
import { startApp } from "../support/hub_in_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";

/** Waits until an element's text has these words. */
async function until(page: Page, selector: string, words: string): Promise<void> {
  const has = `document.querySelector(${JSON.stringify(selector)})?.textContent
    .includes(${JSON.stringify(words)})`;
  await page.waitForFunction(has);
}

/** What a screen reader's user would stumble over. */
async function barriers(page: Page): Promise<unknown> {
  await page.evaluate(axe.source);
  return await page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))`,
  );
}

Deno.test({
  name: "the page tells of a hub's place among others, of losing them and of finding them again",
  ignore: !hasChromium() || !hasNatsServer(),
  fn: async () => {
    await using nats = await NatsServer.start();
    await using app = await startApp({
      backends: { host: { transport: "host" } },
      sources: [
        { channel: "system_status", backend: "host", method: "GetSystemStatus", every: "300ms" },
      ],
      hub: { heartbeat_every: "300ms" },
      cluster: { nats: nats.url, lease: "1s", grace: "4s", hub_name: "hub-1" },
    });
    await using browser = await Chromium.start();
    const page = await browser.open(app.url);
    await until(page, "#summary", "The source is live");
    await until(page, "#facts", "Leader hub-1: polls; no other hub is there");
    await until(page, "#facts", "1 here, 1 on all hubs");
    assertEquals(await barriers(page), []);

    await nats.kill();
    await until(page, "#log", "This hub has lost touch with the others");
    await until(page, "#facts", "Cut off");
    // It led: what it polls by itself is true for its own clients, in touch with others or not.
    await until(page, "#summary", "The source is live");
    await until(page, "#facts", "Alone hub-1: polls for itself");
    await until(page, "#summary", "The source is live");
    assertEquals(await barriers(page), []);
    await page.setViewport({ width: 360, height: 780 });
    assertEquals(await page.evaluate(`document.documentElement.scrollWidth`), 360);

    await nats.restart();
    await until(page, "#log", "This hub is back with the others");
    await until(page, "#facts", "Leader");
    await until(page, "#summary", "The source is live");
    const entries = await page.evaluate(
      `[...document.querySelectorAll("#log [data-code]")].map((each) => each.dataset.code)`,
    ) as string[];
    assertEquals(entries, ["CLUSTER_RECOVERED", "CLUSTER_LOST", "CONNECTED"]);
    await page.close();
  },
});
