import { SseTransport } from "../../../src/server/http/sse_transport.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../../support/assert.ts";

/** A stream that counts how it ends. */
function stream(changes: { keepAliveMs?: number; lingerMs?: number } = {}) {
  const counts = { ends: 0, aborts: 0 };
  const ended = Promise.withResolvers<void>();
  const transport = new SseTransport({
    keepAliveMs: 0,
    retryMs: 1000,
    epoch: () => "e1",
    lingerMs: 60_000,
    abort: () => counts.aborts += 1,
    onEnd: () => {
      counts.ends += 1;
      ended.resolve();
    },
    ...changes,
  });
  return { transport, counts, ended: ended.promise };
}

Deno.test("SseTransport.close() lets the reader take what waits, and ends right then", async () => {
  const { transport, counts, ended } = stream();
  transport.send("{}");
  transport.close();
  transport.close();
  assertEquals(counts, { ends: 0, aborts: 0 });
  assertThrows(() => transport.send("late"), TypeError);
  assertStringIncludes(await new Response(transport.body).text(), "data: {}");
  await ended;
  assertEquals(counts, { ends: 1, aborts: 0 }, "long before it would have been aborted");
});

Deno.test("SseTransport sends no comment into a stream that is being closed", async () => {
  const { transport, ended } = stream({ keepAliveMs: 1, lingerMs: 30 });
  const reader = transport.body.getReader();
  transport.send("{}");
  transport.close();
  let text = "";
  for (let chunk = 0; chunk < 2; chunk++) { // the last of it, and then no more is asked for
    text += new TextDecoder().decode((await reader.read()).value);
  }
  assertStringIncludes(text, "data: {}");
  await ended; // a comment written meanwhile would have thrown where nobody catches
  assertEquals((await reader.read()).done, true);
});

Deno.test("SseTransport ends a connection whose reader stops amid the last of it", async () => {
  const { transport, counts, ended } = stream({ lingerMs: 5 });
  const reader = transport.body.getReader();
  await reader.read();
  transport.send("{}");
  transport.close();
  await ended;
  assertEquals(counts, { ends: 1, aborts: 1 });
  await reader.cancel();
  assertEquals(counts.ends, 1);
});
