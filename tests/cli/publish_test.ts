import { publish, type PublishFlags } from "../../src/cli/publish.ts";
import { MAX_TRIES } from "../../src/cli/publish/delivery.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { freePort } from "../support/free_port.ts";
import { startApp } from "../support/hub_in_process.ts";

const TOKEN = "publisher-secret-0123456789";
const HUB = {
  auth: { tokens: [{ name: "publisher", token: TOKEN, publish: true }] },
  shutdown: { drain: "10ms" },
};

interface Run {
  args: readonly [url: string, channel: string, json?: string];
  flags?: PublishFlags;
  input?: string;
}

/** Runs the command, on fake time that goes on by itself. */
async function run({ args: [url, channel, json], flags = { token: TOKEN }, input = "" }: Run) {
  const outs: string[] = [];
  const errs: string[] = [];
  const clock = new FakeClock();
  const ended = publish([url, channel, json], flags, {
    out: (line) => outs.push(line),
    err: (line) => errs.push(line),
    env: {},
  }, {
    clock,
    input: new Blob([input]).stream(),
    random: () => 0.5,
    signal: new AbortController().signal,
  });
  let isOver = false;
  void ended.finally(() => isOver = true);
  while (!isOver) {
    await settle();
    if (clock.sleeping > 0) await clock.advance(60_000);
  }
  return { code: await ended, outs, errs: errs.join("\n") };
}

/** A hub that answers as the test says, and keeps what it was sent. */
function answering(answer: (nth: number) => Response) {
  const bodies: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    bodies.push(await request.text());
    return answer(bodies.length);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    bodies,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("publish() publishes an argument or standard input, and prints the hub's answer", async () => {
  await using app = await startApp(HUB);
  const value = await run({ args: [app.url, "agent_status", '{"n":1}'] });
  assertEquals([value.code, value.errs], [0, ""]);
  assertMatch(value.outs[0] ?? "", /^\{"seq":\d+/);
  const input = `{"title":"backup done","size":12345678901234567890}\n`;
  for (const args of [[app.url, "notification", "-"], [app.url, "notification"]] as const) {
    assertEquals((await run({ args, input })).code, 0);
  }
  const headers = { authorization: `Bearer ${TOKEN}` };
  const latest = await (await fetch(`${app.url}/snapshot/agent_status`, { headers })).json();
  assertEquals(latest.data, { n: 1 });
});

Deno.test("publish() exits 1 with the hub's words where it was not accepted", async () => {
  await using app = await startApp(HUB);
  for (
    const [channel, token, why] of [
      ["nothing_here", TOKEN, /not accepted: HTTP 404: there is no channel "nothing_here"/],
      ["heartbeat", TOKEN, /not accepted: HTTP 403/],
      ["agent_status", "wrong", /not accepted: HTTP 401/],
    ] as const
  ) {
    const { code, outs, errs } = await run({ args: [app.url, channel, "1"], flags: { token } });
    assertEquals([code, outs], [1, []]);
    assertMatch(errs, why);
  }
});

Deno.test("publish() says what is wrong with its arguments, all at once, and asks no hub", async () => {
  const { code, errs } = await run({ args: ["ftp://x", "No", "1"], flags: { validFor: "soon" } });
  assertEquals(code, 2);
  for (const part of [/URL: /, /CHANNEL: found "No"/, /--valid-for: found "soon"/]) {
    assertMatch(errs, part);
  }
  const url = "http://127.0.0.1:9";
  assertMatch((await run({ args: [url, "a", "hello"] })).errs, /a text is written as '"hello"'/);
  assertMatch((await run({ args: [url, "a"] })).errs, /standard input is empty/);
});

Deno.test("publish() sends the value as it was written, and how long it holds", async () => {
  await using hub = answering(() => new Response(`{"seq":1}`, { status: 202 }));
  const json = '{"id":1764000000123456789,"x":1e999}';
  await run({ args: [hub.url, "a", json], flags: { validFor: "26h" } });
  assertEquals(hub.bodies, [`{"channel":"a","data":${json},"valid_for":"26h"}`]);
});

Deno.test("publish() tries a value again, and an event only where it was surely not taken", async () => {
  for (
    const [channel, status, tries, code] of [
      ["agent_status", 503, 3, 0],
      ["agent_status", 429, 3, 0],
      ["notification", 429, 3, 0],
      ["notification", 503, 1, 1],
      ["agent_status", 400, 1, 1],
    ] as const
  ) {
    await using hub = answering((nth) =>
      nth < 3
        ? new Response(`{"error":"x","message":"busy"}`, {
          status,
          headers: { "retry-after": "1" },
        })
        : new Response(`{"seq":1}`, { status: 202 })
    );
    const ended = await run({ args: [hub.url, channel, "{}"] });
    const what = `${channel} ${status}`;
    assertEquals([ended.code, hub.bodies.length], [code, tries], what);
    if (what === "notification 503") assertMatch(ended.errs, /it is not known whether/);
  }
});

Deno.test("publish() gives up on a hub that is not there, after a bounded number of tries", async () => {
  const { code, errs } = await run({
    args: [`http://127.0.0.1:${freePort()}`, "notification", "{}"],
  });
  assertEquals(code, 1);
  assertMatch(errs, new RegExp(`not accepted after ${MAX_TRIES} tries: connection refused`));
  assertEquals(errs.match(/trying again/g)?.length, MAX_TRIES - 1);
});
