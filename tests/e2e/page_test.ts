/// <reference lib="dom" />
import axe from "axe-core";
import { PAGE_HTML } from "../../src/page/built.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { Chromium, hasChromium, type Page, type Target } from "../support/browser.ts";
import { BadNight } from "../support/bad_night.ts";
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
          await pause(20_000);
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
        // The cards are laid out anew once the page has heard of it.
        await page.waitForFunction(`document.documentElement.scrollWidth === 360`);
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
        assertEquals(await focused(page), "System status");
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
        backend.values.set("GetQueue", { name, rows: manyRows(650) });
        await until(page, "<b>bold</b>", card("order_queue"));
        assertEquals(await page.$(`${card("order_queue")} b, ${card("order_queue")} img`), null);
        assertEquals((await page.$$(`${card("order_queue")} tbody tr`)).length, 500);
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
          // It is told with every poll; it is one incident all the same.
          await until(page, "Storage stale for", "#incidents");
          assertEquals((await page.$$("#incidents [data-open]")).length, 1);
          assertEquals((await page.$$("#log [data-code=RPC_FAILURE]")).length, 0);
          assertEquals(await textOf(page, "#named"), "Storage");
          assertEquals(
            await page.$eval("#failing .row", (row) => row.getAttribute("data-row")),
            "storage_update",
          );
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
          await until(page, "Not answering", "#backends");
          // The mark is that of the gravest thing below.
          await page.waitForSelector("#summary[data-standing=failed]");
          const retry = `${card("agent_status")} .retry`;
          await page.waitForSelector(retry);
          const first = secondsIn(await textOf(page, retry));
          assert(first > 0, "it says in how many seconds");
          while (secondsIn(await textOf(page, retry)) >= first) await page.waitForSelector(retry);
          await until(page, "next try in", "#backends");
          await until(page, "core down for", "#incidents");
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
        await page.waitForSelector("#incidents [data-kind=backend_down]:not([data-open])");
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
        await page.click("#notify");
        await until(page, "Notifying you", "#notify");
        await app.shutdown();
        await until(page, "The hub is gone");
        await until(page, "Everything below is from before.", "#banner");
        await page.waitForFunction(
          `/Trying again in \\d+ s/.test(document.querySelector("#banner").textContent)`,
        );
        for (const channel of CHANNELS) assertEquals(await kindOf(page, channel), "stale");
        const backends = await textOf(page, "#backends");
        assertStringIncludes(backends, "Not known");
        assertEquals(await page.$("#backends [data-state]"), null, "nothing looks known");
        await assertAccessible(page);
        await picture(page, "hub_gone");
        // Whoever asked for it is called, once it has lasted for a while.
        await page.waitForFunction(`told.join() === "Something is wrong: The hub is gone"`);

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

        await page.click(".card h3 a");
        assertEquals(await page.evaluate("location.hash"), "#source-order_queue");

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

Deno.test({
  name: "the page on a bad night, opened by somebody who was not there when it began",
  ignore: !hasChromium(),
  fn: async (t) => {
    await using browser = await Chromium.start();
    await using night = new BadNight();
    let app = await startApp(night.config());
    const { url } = app;
    const values = watchValues(app.url);
    try {
      await values.seen;
      await pause(25_000);
      await night.strike();
      app.hub.broadcast("notification", NOTIFICATION);
      const { page, complaints, outside } = await open(browser, url);
      const rows = (selector: string) =>
        page.$$eval(selector, (all) => all.map((row) => row.getAttribute("data-row")));

      await t.step("C23: names all that is wrong, the gravest first, and leads there", async () => {
        await until(page, "11 of 31 sources are failing (10 stale, 1 never answered): shop");
        assertMatch(await textOf(page, "#named"), /^shopNever answers.*and 6 more$/);
        await page.waitForSelector("#summary[data-standing=failed]"); // one never answered
        await settled(page, { failing: 11, well: 20 });
        assertEquals((await rows("#failing [data-row]"))[0], "never_answers");
        const red = await textOf(page, "#failing [data-row=never_answers]");
        assertMatch(red, /✕ Never answered.*the disks cannot be read/);
        assertEquals(
          await page.$eval(card("never_answers"), (each) => each.getAttribute("data-standing")),
          "failed",
        );
        assertMatch(await page.$eval("#icon", (icon) => icon.getAttribute("href") ?? ""), /a8221b/);
        await assertAccessible(page);
      });

      await t.step("has the hub's memory, not the tab's", async () => {
        await until(page, "shop down for", "#incidents");
        await until(page, "Deploy at noon", "#notes");
        await page.waitForSelector("[data-row=mail_machine] .line");
        await page.waitForSelector("[data-row=storage_update] .strip .step.stale");
        await page.waitForSelector("[data-row=storage_update] .strip .step.unknown");
        const strip = await page.$eval(
          "[data-row=storage_update] .strip",
          (strip) => strip.getAttribute("aria-label"),
        );
        assertMatch(strip ?? "", /^Last 24 h: .* % fresh, stale for .*, not known for 23 h/);
      });

      await t.step("takes titles, groups, units and order from the configuration", async () => {
        await settled(page, { failing: 11, well: 20 });
        assertStringIncludes(await textOf(page, "#groups"), "Machines");
        assertStringIncludes(await textOf(page, card("press_temperature")), "21.5 °C");
        assertEquals((await rows("#groups [data-row]"))[0], "mail_machine");
        const cards = await page.$$eval(
          "#cards > article",
          (all) => all.map((each) => each.getAttribute("data-channel")),
        );
        assertEquals(cards[0], "shop_disks", "its order is -1");
      });

      await t.step("finds sources by words", async () => {
        await page.type("#search", "machine web");
        await page.waitForFunction(`document.querySelectorAll("[data-row]").length === 1`);
        assertEquals((await page.$$("#cards > article:not([hidden])")).length, 1);
        await page.$eval("#search", (search) => {
          (search as HTMLInputElement).value = "";
          search.dispatchEvent(new Event("input"));
        });
        await page.waitForFunction(`document.querySelectorAll("[data-row]").length === 31`);
      });

      await t.step("lets any value be opened as it is", async () => {
        const raw = `${card("measurements")} .raw`;
        await page.$eval(`${raw} summary`, (summary) => (summary as HTMLElement).click());
        await until(page, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", raw);
        await assertAccessible(page);
        await page.$eval(`${raw} summary`, (summary) => (summary as HTMLElement).click());
        // A long table is there whole, and can be scrolled.
        assertEquals((await page.$$(`${card("all_presses")} tbody tr`)).length, 250);
      });

      await t.step("reads a moment of a chart out by keyboard and by pointer", async () => {
        const plot = `${card("mail_machine")} .plot`;
        await page.waitForSelector(`${plot} .line`);
        await page.focus(plot);
        await page.keyboard.press("ArrowLeft");
        await page.waitForSelector(`${card("mail_machine")} .read-at`);
        const said = await page.$eval(plot, (each) => each.getAttribute("aria-valuetext") ?? "");
        assertMatch(said, /^\d\d:\d\d:\d\d: CPU Usage \d+ %/);
        await page.keyboard.press("Escape");
        await page.waitForFunction(
          `document.querySelector('${card("mail_machine")} .read-at') === null`,
        );
        await page.hover(plot);
        await page.waitForSelector(`${card("mail_machine")} .read-at`);
        await page.mouse.move(0, 0);
        await page.select("#window", "15m");
        await page.select("#uptime", "7d");
        await until(page, "Last 7 d", card("mail_machine"));
      });

      await t.step("stretches no card, and cuts nothing off, at any width", async () => {
        for (const scheme of ["light", "dark"] as const) {
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
          for (const width of [1440, 768, 390]) {
            await page.setViewport({ width, height: width === 390 ? 844 : 1000 });
            await page.waitForFunction(`document.documentElement.scrollWidth === ${width}`);
            await page.waitForFunction(FITTING);
            await picture(page, `bad_night_${width}_${scheme}`);
          }
        }
        await assertAccessible(page);
        await picture(page, "bad_night_390_cards", "#sources");
        // The narrow one: backends and incidents come before the cards.
        const tops = await page.evaluate(
          `["#backends", "#incidents", "#cards"].map((id) => document.querySelector(id).getBoundingClientRect().top)`,
        ) as number[];
        assertEquals(tops.toSorted((a, b) => a - b), tops);
        await page.emulateMediaFeatures([]);
        await page.setViewport(SCREEN);
        await page.waitForFunction(FITTING);
        await picture(page, "bad_night_cards", "#sources");
        await picture(page, "bad_night_odd_cards", card("press_temperature"));
      });

      await t.step("has an address for each source and each incident", async () => {
        await page.goto(`${url}/#source-plant_flags`);
        await page.reload();
        await page.waitForFunction(`document.activeElement.id === "source-plant_flags"`);
        await page.waitForSelector("#incidents [data-kind=backend_down]"); // asked of the hub
        const id = await page.$eval("#incidents [data-kind=backend_down]", ({ id }) => id);
        await page.goto(`${url}/#${id}`);
        await page.reload();
        await page.waitForFunction(`document.activeElement.id === "${id}"`);
      });

      await t.step("shows the overview alone on a wall", async () => {
        const { identifier } = await page.evaluateOnNewDocument(SAID_OF_INCIDENTS);
        await page.goto(`${url}/?kiosk`);
        await until(page, "11 of 31 sources");
        await page.waitForSelector("#incidents [data-kind=backend_down]");
        await page.waitForSelector("#failing .strip .step");
        const said = await page.evaluate("saidOfIncidents") as string[];
        assert(!said.includes("None"), "there were incidents before they were asked for");
        await page.removeScriptToEvaluateOnNewDocument(identifier);
        assertEquals(
          await page.$eval("#sources", (each) => getComputedStyle(each).display),
          "none",
        );
        await assertAccessible(page);
        await picture(page, "kiosk");
      });

      await t.step("loads itself anew when the hub's version has changed", async () => {
        await page.goto(`${url}/`);
        await until(page, "0.0.0-test", "#version");
        assertEquals(complaints, []);
        const loaded = page.waitForNavigation();
        await app.shutdown();
        app = await startApp({ ...night.config(), listen: new URL(url).host }, {
          version: "0.0.1",
        });
        await loaded;
        await until(page, "0.0.1", "#version");
      });
      assertEquals(outside, [], "requests to elsewhere");
      await page.close();
    } finally {
      await app.shutdown();
    }
  },
});

/** Takes the place of the browser's notifications, which a browser without a window has not. */
const NOTIFICATIONS = `globalThis.told = [];
  globalThis.Notification = class {
    static permission = "default";
    static async requestPermission() { return this.permission = "granted"; }
    constructor(title, { body }) { told.push(title + ": " + body); }
  };`;

/** Waits until so many sources fail, and so many do not: a busy machine may doubt more for a moment. */
async function settled(page: Page, { failing, well }: { failing: number; well: number }) {
  const count = (where: string) => `document.querySelectorAll("${where} [data-row]").length`;
  await page.waitForFunction(
    `${count("#failing")} === ${failing} && ${count("#groups")} === ${well}`,
  );
}

/** Whether every card that is shown is as high as what is in it, and no wider than its place. */
const FITTING = `[...document.querySelectorAll("#cards > article")].every((card) =>
  card.scrollWidth <= card.clientWidth + 1 && card.scrollHeight <= card.offsetHeight + 1 &&
  card.offsetHeight <= [...card.children].reduce((sum, child) =>
    sum + child.offsetHeight + parseFloat(getComputedStyle(child).marginTop) +
    parseFloat(getComputedStyle(child).marginBottom), 60))`;

/** Waits until the hub has polled all that answers. */
function watchValues(url: string): { seen: Promise<void> } {
  const look = async () => {
    for (;;) {
      const response = await fetch(`${url}/snapshot`);
      if (Object.keys(await response.json()).length === 29) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { seen: look() };
}

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
  await page.evaluateOnNewDocument(NOTIFICATIONS);
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
  const [, minutes = 0, seconds = 0] = /in (?:(\d+) min ?)?(?:(\d+) s)?/.exec(text) ?? [];
  return Number(minutes) * 60 + Number(seconds);
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

/** Keeps what the list of incidents has said from the first moment on. */
const SAID_OF_INCIDENTS = `
  globalThis.saidOfIncidents = [];
  new MutationObserver(() => {
    saidOfIncidents.push(document.querySelector("#incidents")?.textContent.trim() ?? "");
  }).observe(document, { childList: true, subtree: true, characterData: true });`;

/** Lets charts and ages grow, for the pictures alone. */
async function pause(ms: number): Promise<void> {
  if (TAKES_PICTURES) await new Promise((resolve) => setTimeout(resolve, ms));
}

async function picture(page: Page, name: string, from = "body"): Promise<void> {
  if (!TAKES_PICTURES) return;
  await page.evaluate(`if (document.activeElement.id !== "token") document.activeElement.blur()`);
  await page.evaluate(
    `scrollTo(0, document.querySelector("${from}").getBoundingClientRect().top + scrollY)`,
  );
  const { pathname } = new URL(`../../docs/screenshots/${name}.png`, import.meta.url);
  await page.screenshot({ path: pathname as `${string}.png` });
}
