import { assert, assertEquals } from "../support/assert.ts";
import { Chromium, hasChromium } from "../support/browser.ts";
import { CuttableProxy } from "../support/cuttable_proxy.ts";
import { HubProcess } from "../support/hub_process.ts";
import { configOf, publish, TOKEN } from "./ended.ts";
import { checkForeign, EXPECTED, noteOf } from "./foreign.ts";
import { type Report, story } from "./web_story.ts";

const ignore = !hasChromium();
const note = noteOf(!ignore, "Debian's chromium");

Deno.test({
  name: `Chromium sees a hub as documented${note}`,
  ignore,
  fn: async () => {
    await using chromium = await Chromium.start();
    await checkForeign(async (options) => {
      const page = await chromium.open(`${options.url}/healthz`);
      return await page.evaluate(`(${story})(${JSON.stringify(options)})`) as Report;
    }, expectedOfChromium());
  },
});

Deno.test({
  name: `Chromium is let in from an origin that is configured, and from no other${note}`,
  ignore,
  fn: async () => {
    await using allowed = new PageServer();
    await using other = new PageServer();
    await using hub = await HubProcess.start(configOf({ origins: [allowed.url] }));
    await using chromium = await Chromium.start();
    for (const [server, expected] of [[allowed, "welcome"], [other, "closed 1006"]] as const) {
      const page = await chromium.open(server.url);
      const heard = await page.evaluate(firstWord, hub.ws({ token: TOKEN }));
      assertEquals(heard, expected);
      const read = await page.evaluate(canRead, `${hub.url}/snapshot?token=${TOKEN}`);
      assertEquals(read, server === allowed);
    }
  },
});

Deno.test({
  name: `Chromium's EventSource resumes with Last-Event-ID after a cut${note}`,
  ignore,
  fn: async () => {
    await using hub = await HubProcess.start(configOf());
    await using proxy = new CuttableProxy(hub.url);
    await using chromium = await Chromium.start();
    const page = await chromium.open(`${proxy.url}/healthz`);
    await page.evaluate(listen, `/events?channels=notification&token=${TOKEN}`);
    await page.waitForFunction("events.length >= 1");
    await publish(hub.url, 1);
    await page.waitForFunction("events.length >= 2");
    proxy.cut();
    await publish(hub.url, 2);
    await publish(hub.url, 3);
    await page.waitForFunction("events.filter((each) => each.type === 'notification').length >= 3");
    const events = await page.evaluate("events") as { type: string; id: string; data: unknown }[];
    assertEquals(
      events.filter(({ type }) => type === "notification").map(({ data }) => data),
      [{ n: 1 }, { n: 2 }, { n: 3 }],
    );
    const [first, again] = events.filter(({ type }) => type === "welcome")
      .map(({ data }) => data as { recovered: boolean; gap: boolean });
    assertEquals([first?.recovered, first?.gap], [false, false]);
    assertEquals([again?.recovered, again?.gap], [true, false]);
    assert(events.every(({ id }) => /^\d+\.[0-9a-f-]+$/.test(id)));
  },
});

/**
 * Deno 2.4 answers the answer to its close frame with a second close frame. Chromium alone takes
 * offence at that, and reports 1006 for every close that the hub began.
 */
function expectedOfChromium(): Report {
  if (!Deno.version.deno.startsWith("2.4.")) return EXPECTED;
  const lost = { code: 1006, reason: "" };
  const { badMessages, shutdown } = EXPECTED;
  return {
    ...EXPECTED,
    badMessages: { ...badMessages, ...lost },
    tooBig: lost,
    shutdown: { ...shutdown, ...lost },
  };
}

/** An empty page at an origin of its own. */
class PageServer implements AsyncDisposable {
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

// What follows runs in the page: it may use nothing from outside itself.

function firstWord(url: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ["holdfast"]);
    socket.onmessage = ({ data }) => {
      socket.close(1000);
      resolve(JSON.parse(data).type);
    };
    socket.onclose = ({ code }) => resolve(`closed ${code}`);
  });
}

async function canRead(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    return response.status === 200;
  } catch {
    return false;
  }
}

function listen(path: string): void {
  const events: unknown[] = [];
  Object.assign(globalThis, { events });
  const source = new EventSource(path);
  source.onmessage = ({ data, lastEventId: id }) => {
    const { type, data: inner } = JSON.parse(data);
    events.push({ type, id, data: inner });
  };
}
