import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { hubAddress } from "../../src/client/address.ts";
import {
  type Fetch,
  parseRetryAfter,
  probeRefusal,
  type RefusalProbe,
} from "../../src/client/refusal_probe.ts";

async function ask(fetch: Fetch, signal = new AbortController().signal): Promise<RefusalProbe> {
  const clock = new FakeClock();
  const door = await probeRefusal(hubAddress("http://hub.test"), {
    fetch,
    token: undefined,
    clock,
    signal,
  });
  assertEquals(clock.sleeping, 0, "a timer was left behind");
  return door;
}

const answering = (...answers: Response[]): Fetch => () =>
  Promise.resolve(answers.shift() ?? new Response("", { status: 404 }));

Deno.test("probeRefusal() tells shut, busy and unexplained", async () => {
  assertEquals(await ask(answering(new Response("", { status: 403 }))), {
    kind: "shut",
    status: 403,
  });
  const busy = new Response("", { status: 429, headers: { "retry-after": "2" } });
  assertEquals(await ask(answering(busy)), { kind: "busy", status: 429, retryAfterMs: 2000 });
  assertEquals(await ask(answering(new Response("", { status: 503 }))), {
    kind: "busy",
    status: 503,
  });
  assertEquals(await ask(answering()), { kind: "unexplained", status: 404 });
});

Deno.test("probeRefusal() is deaf neither to failure nor to abort nor to time", async () => {
  assertEquals(await ask(() => Promise.reject(new TypeError("refused"))), { kind: "unreachable" });
  const hanging: Fetch = (_url, { signal }) =>
    new Promise((_resolve, reject) => {
      const fail = () => reject(signal?.reason);
      if (signal?.aborted) fail();
      signal?.addEventListener("abort", fail);
    });
  assertEquals(await ask(hanging, AbortSignal.abort()), { kind: "unreachable" });

  const clock = new FakeClock();
  const { signal } = new AbortController();
  const options = { fetch: hanging, token: "t", clock, signal };
  const asked = probeRefusal(hubAddress("http://hub.test"), options);
  await clock.advance(5000);
  assertEquals(await asked, { kind: "unreachable" });
});

Deno.test("parseRetryAfter() reads seconds and dates, and nothing else", () => {
  assertEquals(parseRetryAfter("7", 0), 7000);
  assertEquals(parseRetryAfter("Thu, 01 Jan 1970 00:01:00 GMT", 45), 15_000);
  assertEquals(parseRetryAfter("Thu, 01 Jan 1970 00:01:00 GMT", 90), 0);
  assertEquals(parseRetryAfter("soon", 0), undefined);
  assertEquals(parseRetryAfter(null, 0), undefined);
});
