import { SseTransport } from "../../../src/server/http/sse_transport.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "../../support/assert.ts";

/** A stream that counts how it ends. */
function stream(changes: { keepAliveMs?: number; lingerMs?: number } = {}) {
  const counts = { ends: 0, aborts: 0 };
  const ended = Promise.withResolvers<void>();
  const transport = new SseTransport({
    keepAliveMs: 0,
    retryMs: 1000,
    epoch: () => "e1",
    lingerMs: 60_000,
    takenBytes: () => undefined,
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
  await assertRejects(() => reader.read(), Error, "does not take");
  assertEquals(counts.ends, 1);
});

Deno.test("C07: SseTransport hands over a large frame piece by piece, as it is taken", async () => {
  const { transport } = stream();
  const reader = transport.body.getReader();
  await reader.read(); // the time to wait before coming back
  const frame = `"${"\u{1F600}x".repeat(100_000)}"`;
  transport.send(frame);
  const whole = transport.bufferedBytes;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let reads = 0;
  for (let last = whole; transport.bufferedBytes > 0; reads += 1) {
    text += decoder.decode((await reader.read()).value, { stream: true });
    assert(transport.bufferedBytes < last, "what is taken is seen");
    last = transport.bufferedBytes;
  }
  assertEquals(text + decoder.decode(), `data: ${frame}\n\n`);
  assert(reads > 10);
  transport.close();
});
