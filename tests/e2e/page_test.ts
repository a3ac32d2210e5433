/// <reference lib="dom" />
import axe from "axe-core";
import { PAGE_HTML } from "../../src/page/built.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { Chromium, hasChromium, type Page, type Target } from "../support/browser.ts";
import { HubProcess } from "../support/hub_process.ts";
import { startApp } from "../support/hub_in_process.ts";
import { PageBackend } from "../support/page_backend.ts";

/** Set, the test leaves pictures of the states in docs/screenshots. */
const TAKES_PICTURES = Boolean(Deno.env.get("HOLDFAST_SCREENSHOTS")) && !Deno.env.get("CI");

const TOKEN = "s3cret-t0ken";
const PART = "s3cret-for-a-part";

/** A failed connection is told by the browser itself; nothing a page does can keep it from that. */
const FAILED_CONNECTION = /^(WebSocket connection to .* failed|Failed to load resource)/;

Deno.test({
  name: `the page in Chromium${hasChromium() ? "" : " (left out: there is no /usr/bin/chromium)"}`,
  ignore: !hasChromium(),
  fn: async (t) => {
    await using browser = await Chromium.start();
    await using backend = new PageBackend();
    let app = await startApp(configFor(backend));
    const { url } = app;
    try {
      const seen = await open(browser, url);
      const { page } = seen;

      await t.step(
        "shows every source live, without an error or a request to elsewhere",
        async () => {
          await until(page, "All 5 sources are live");
          for (const channel of CHANNELS) {
            assertEquals(await kindOf(page, channel), "live");
          }
          assertStringIncludes(await textOf(page, card("system_status")), "spool-1");
          assertMatch(await textOf(page, card("system_status")), /CPU\d+ %8 processors/);
          assertStringIncludes(await textOf(page, card("storage_update")), "465 GiB of 500 GiB");
          assertStringIncludes(await textOf(page, card("agent_status")), "dump-orders.sql");
          assertStringIncludes(await textOf(page, card("order_queue")), "Throughput");
          await page.waitForSelector(`${card("system_status")} .plot .line`);
          await page.waitForFunction(
            `document.querySelector("#facts").textContent.includes("Clients1")`,
          );
          await page.waitForFunction(
            `document.querySelector("#spoken").textContent.includes("live")`,
          );
          assertMatch(await page.title(), /^● All 5 sources are live/);
          await pause(70_000);
          await assertAccessible(page);
          await picture(page, "live");
          assertEquals(seen.complaints, []);
        },
      );

      await t.step("is as good in the dark", async () => {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
        const colour = await page.evaluate(`getComputedStyle(document.body).backgroundColor`);
        assertEquals(colour, "rgb(14, 18, 23)");
        await assertAccessible(page);
        await picture(page, "dark");
        await page.emulateMediaFeatures([]);
      });

      await t.step("fits a phone of 360 pixels", async () => {
        await page.setViewport({ width: 360, height: 780 });
        assertEquals(await page.evaluate(`document.documentElement.scrollWidth`), 360);
        await assertAccessible(page);
        await picture(page, "phone");
        await page.setViewport(SCREEN);
      });

      await t.step("can be used with the keyboard alone", async () => {
        await page.evaluate(`document.activeElement.blur()`);
        await page.keyboard.press("Tab");
        assertEquals(await focused(page), "Skip to the sources");
        await page.keyboard.press("Enter");
        await page.waitForFunction(`document.activeElement.id === "sources"`);
        await page.keyboard.press("Tab");
        assertEquals(
          await page.evaluate(`document.activeElement.getAttribute("aria-label")`),
          "Network interfaces",
        );
        await page.keyboard.press("Tab");
        assertEquals(await focused(page), "More");
        await page.keyboard.press("Enter");
        assert(await page.$(`${card("system_status")} details[open]`), "Enter unfolds");
        // Values that come meanwhile must leave alone what the reader unfolded and where he is.
        const load = await textOf(page, `${card("system_status")} .tiles`);
        await page.waitForFunction(
          `document.querySelector('${card("system_status")} .tiles').textContent !== ${
            JSON.stringify(load)
          }`,
        );
        assertEquals(await focused(page), "More");
        assert(await page.$(`${card("system_status")} details[open]`), "it stays unfolded");
        await page.keyboard.press("Enter");
      });

      await t.step("shows what values hold as text, whatever it looks like", async () => {
        const name = "<img src=x onerror=alert(1)><b>bold</b>";
        backend.values.set("GetQueue", { name, rows: manyRows(250) });
        await until(page, "<b>bold</b>", card("order_queue"));
        assertEquals(await page.$(`${card("order_queue")} b, ${card("order_queue")} img`), null);
        assertEquals((await page.$$(`${card("order_queue")} tbody tr`)).length, 100);
        await until(page, "150 more left out", card("order_queue"));
        backend.values.clear();
        await until(page, "Throughput", card("order_queue"));
        assertEquals(seen.complaints, []);
      });

      await t.step(
        "says of a stale source since when and why, and leaves the others live",
        async () => {
          backend.broken.add("GetStorage");
          await until(page, "1 of 5 sources is stale");
          assertEquals(await kindOf(page, "storage_update"), "stale");
          assertStringIncludes(await textOf(page, `${card("storage_update")} .card-head`), "Stale");
          assertEquals(await kindOf(page, "system_status"), "live");
          const text = await textOf(page, `${card("storage_update")} .trouble`);
          assertMatch(text, /Stale since \d\d:\d\d:\d\d, for \d+ s\./);
          assertStringIncludes(text, "the disks cannot be read");
          // It is told with every poll; the log counts instead of growing.
          await until(page, "3 times", "#log");
          assertEquals((await page.$$("#log [data-code=RPC_FAILURE]")).length, 1);
          await assertAccessible(page);
          await pause(5000);
          await picture(page, "stale");
          backend.broken.clear();
          await until(page, "All 5 sources are live");
          assertEquals(seen.complaints, []);
        },
      );

      await t.step(
        "shows an open breaker, and the time until the next try running down",
        async () => {
          await backend.stop();
          await until(page, "All 5 sources are stale: core does not answer");
          await page.waitForSelector(`#backends [data-state=open]`);
          const retry = `${card("agent_status")} .retry`;
          await page.waitForSelector(retry);
          const first = secondsIn(await textOf(page, retry));
          await page.waitForFunction(
            `parseInt(document.querySelector('${retry}').textContent.match(/in (\\d+) s/)[1]) < ${first}`,
          );
          await until(page, "next try in", "#backends");
          await until(page, "CIRCUIT_OPEN", "#log");
          // The lines of the charts break where nothing was live; the last values stay in sight.
          assertStringIncludes(await textOf(page, card("agent_status")), "dump-orders.sql");
          await assertAccessible(page);
          await pause(12_000);
          await picture(page, "breaker_open");
          assertEquals(seen.complaints, []);
        },
      );

      await t.step("shows the recovery", async () => {
        backend.start();
        await until(page, "All 5 sources are live");
        await until(page, "RPC_RECOVERED", "#log");
        await page.waitForSelector(`#backends [data-state=closed]`);
        await page.waitForFunction(
          `document.querySelectorAll(".trouble:not(:empty)").length === 0`,
        );
        await assertAccessible(page);
        await picture(page, "recovered");
        assertEquals(seen.complaints, []);
      });

      await t.step("shows notifications", async () => {
        app.hub.broadcast("notification", NOTIFICATION);
        await until(page, "Deploy at noon", "#notes");
      });

      await t.step("says that the hub itself is gone, and comes back when it does", async () => {
        await app.shutdown();
        await until(page, "The hub is gone");
        await until(page, "Everything below is from before.", "#banner");
        await page.waitForFunction(
          `/Trying again in \\d+ s/.test(document.querySelector("#banner").textContent)`,
        );
        for (const channel of CHANNELS) assertEquals(await kindOf(page, channel), "stale");
        const backends = await textOf(page, "#backends");
        assertStringIncludes(backends, "Not known");
        await assertAccessible(page);
        await picture(page, "hub_gone");

        app = await startApp({ ...configFor(backend), listen: new URL(url).host });
        if (await page.$("#retry:not([hidden])")) await page.click("#retry");
        await until(page, "All 5 sources are live");
        await page.waitForSelector("#banner[hidden]");
        await until(page, "LOST", "#log");
        assertEquals(seen.complaints.filter((text) => !FAILED_CONNECTION.test(text)), []);
      });

      assertEquals(seen.outside, [], "requests to elsewhere");
      await page.close();
    } finally {
      await app.shutdown();
    }

    await using guarded = await startApp({
      ...configFor(backend),
      auth: {
        tokens: [
          { name: "page", token: TOKEN, channels: ["*"], publish: false },
          { name: "part", token: PART, channels: ["order_queue"], publish: false },
        ],
      },
    });
    const { page, complaints, outside } = await open(browser, guarded.url);

    await t.step(
      "asks for the token that a hub wants, and keeps it for this tab alone",
      async () => {
        await until(page, "This hub asks for a token");
        await page.waitForFunction(`document.activeElement.id === "token"`);
        assertEquals(await page.$("#sources:not([hidden])"), null);
        await assertAccessible(page);
        await picture(page, "token");
        assertEquals(complaints.filter((text) => !FAILED_CONNECTION.test(text)), []);
        assertEquals(
          complaints.filter((text) => text.startsWith("WebSocket")),
          [],
          "it does not knock without",
        );

        await page.keyboard.type("wrong");
        await page.keyboard.press("Enter");
        await until(page, "refused the token", "#door-error");
        await assertAccessible(page);
        assertEquals(await page.evaluate(`sessionStorage.length`), 0, "a wrong one is not kept");

        await page.keyboard.type(TOKEN);
        await page.keyboard.press("Enter");
        await until(page, "All 5 sources are live");
        await page.waitForFunction(`document.activeElement.id === "sources"`);
        await page.waitForSelector("#backends [data-state=closed]"); // so /status was let in too
        assertEquals(
          await page.evaluate(`[localStorage.length, document.cookie, location.search]`),
          [0, "", ""],
        );

        await page.reload();
        await until(page, "All 5 sources are live");
        await page.click("#forget");
        await until(page, "This hub asks for a token");
        assertEquals(await page.evaluate(`sessionStorage.length`), 0);

        await page.type("#token", PART);
        await page.keyboard.press("Enter");
        await until(page, "The source is live");
        assertEquals(
          (await page.$$(".card")).length,
          1,
          "what the token does not allow is not shown",
        );

        const opened = new Promise<Target>((resolve) =>
          page.browser().once("targetcreated", resolve)
        );
        await page.click("#links a[href=snapshot]");
        const copy = await (await opened).page();
        const shown = "document.body?.innerText.includes('order_queue')";
        await copy?.waitForFunction(shown);
        await copy?.close();

        assertEquals(complaints.filter((text) => !FAILED_CONNECTION.test(text)), []);
        assertEquals(outside, [], "requests to elsewhere");
      },
    );
    await page.close();
  },
});

Deno.test("the page is part of the program that users run", async () => {
  await using hub = await HubProcess.start({ sources: [] });
  const response = await fetch(hub.url);
  assertEquals(await response.text(), PAGE_HTML);
  assertEquals(await hub.stop(), 0);
  assertEquals(hub.complaints, []);
});

const CHANNELS = [
  "system_status",
  "storage_update",
  "agent_status",
  "compression_update",
  "order_queue",
] as const;

const METHODS = ["GetSystemStatus", "GetStorage", "GetAgents", "GetCompressionJobs", "GetQueue"];

const SCREEN = { width: 1400, height: 920 } as const;

const NOTIFICATION = JSON.stringify({
  title: "Deploy at noon",
  body: "Values may be stale for a minute.",
  level: "info",
}) as Parameters<Awaited<ReturnType<typeof startApp>>["hub"]["broadcast"]>[1];

function configFor(backend: PageBackend): object {
  return {
    backends: {
      core: {
        transport: "json-rpc",
        url: backend.url,
        timeout: "2s",
        retry: { attempts: 1 },
        breaker: { failures: 2, open_for: "2m" },
        health_check: { method: "GetSystemStatus", every: "300ms", timeout: "2s" },
      },
    },
    sources: CHANNELS.map((channel, index) => (
      { channel, backend: "core", method: METHODS[index], every: "400ms" }
    )),
    hub: { heartbeat_every: "500ms" },
    shutdown: { drain: "100ms", reconnect_within: "4s" },
  };
}

interface Seen {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions nobody caught. */
  readonly complaints: string[];
  /** Requests to anywhere but the hub. */
  readonly outside: string[];
}

async function open(browser: Chromium, url: string): Promise<Seen> {
  const page = await browser.open();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  const outside: string[] = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${url}/`) && !asked.startsWith("data:")) outside.push(asked);
  });
  await page.setViewport(SCREEN);
  await page.goto(`${url}/`);
  return { page, complaints, outside };
}

function card(channel: string): string {
  return `[data-channel=${channel}]`;
}

async function kindOf(page: Page, channel: string): Promise<string | null> {
  return await page.$eval(card(channel), (element) => element.getAttribute("data-kind"));
}

async function textOf(page: Page, selector: string): Promise<string> {
  return await page.$eval(selector, (element) => element.textContent ?? "");
}

async function focused(page: Page): Promise<unknown> {
  return await page.evaluate(`document.activeElement.textContent`);
}

/** Waits until a place holds a text. */
async function until(page: Page, text: string, selector = "#summary"): Promise<void> {
  const place = `document.querySelector(${JSON.stringify(selector)})`;
  try {
    await page.waitForFunction(`${place}?.textContent.includes(${JSON.stringify(text)})`);
  } catch {
    const found = await page.evaluate(`${place}?.textContent ?? "nothing"`);
    throw new Error(`"${text}" did not appear in ${selector}; there is: ${found}`);
  }
}

function secondsIn(text: string): number {
  const [, seconds] = /in (\d+) s/.exec(text) ?? [];
  return Number(seconds);
}

function manyRows(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({ name: `row ${index}`, used_ratio: 0.5 }));
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Fails if axe finds anything to say against the page as it is. */
async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(`if (globalThis.axe === undefined) {\n${axe.source}\n}`);
  const violations = await page.evaluate(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)`,
  ) as Violation[];
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`)
  );
  assertEquals(found, []);
}

/** Lets charts and ages grow, for the pictures alone. */
async function pause(ms: number): Promise<void> {
  if (TAKES_PICTURES) await new Promise((resolve) => setTimeout(resolve, ms));
}

async function picture(page: Page, name: string): Promise<void> {
  if (!TAKES_PICTURES) return;
  await page.evaluate(`if (document.activeElement.id !== "token") document.activeElement.blur()`);
  await page.evaluate(`scrollTo(0, 0)`);
  const { pathname } = new URL(`../../docs/screenshots/${name}.png`, import.meta.url);
  await page.screenshot({ path: pathname as `${string}.png` });
}
