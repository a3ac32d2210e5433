import { readBoundedBody } from "../../../src/rpc/http/bounded_body.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";

/** A body of these chunks that then never ends, and what was done to it. */
function endless(...chunks: Uint8Array<ArrayBuffer>[]) {
  const seen = { pulls: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      seen.pulls += 1;
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else await new Promise(() => {});
    },
    cancel() {
      seen.cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { stream, seen };
}

const { signal } = new AbortController();

Deno.test("readBoundedBody() reads up to the bound and not a byte more", async () => {
  const body = await readBoundedBody(new Response("12345"), { maxBytes: 5, signal });
  assertEquals(body, { kind: "text", text: "12345" });
  const over = await readBoundedBody(new Response("123456"), { maxBytes: 5, signal });
  assertEquals(over, { kind: "too_large" });
});

Deno.test("readBoundedBody() counts bytes, not characters", async () => {
  assertEquals(
    await readBoundedBody(new Response("ää"), { maxBytes: 3, signal }),
    { kind: "too_large" },
  );
});

Deno.test("readBoundedBody() gives the body up as soon as the bound is passed", async () => {
  const { stream, seen } = endless(new Uint8Array(4), new Uint8Array(4));
  const body = await readBoundedBody(new Response(stream), { maxBytes: 7, signal });
  assertEquals(body, { kind: "too_large" });
  assertEquals(seen, { pulls: 2, cancelled: true });
});

Deno.test("readBoundedBody() reads nothing of a body announced as too large", async () => {
  const { stream, seen } = endless(new Uint8Array(4));
  const response = new Response(stream, { headers: { "content-length": "8" } });
  assertEquals(await readBoundedBody(response, { maxBytes: 7, signal }), { kind: "too_large" });
  assertEquals(seen, { pulls: 0, cancelled: true });
});

Deno.test("readBoundedBody() puts characters together that chunks tear apart", async () => {
  const bytes = new TextEncoder().encode("a€b");
  const stream = ReadableStream.from([bytes.slice(0, 2), bytes.slice(2, 3), bytes.slice(3)]);
  const body = await readBoundedBody(new Response(stream), { maxBytes: 9, signal });
  assertEquals(body, { kind: "text", text: "a€b" });
});

Deno.test("readBoundedBody() drops a byte order mark and refuses what is not UTF-8", async () => {
  const bom = await readBoundedBody(new Response("\uFEFF{}"), { maxBytes: 9, signal });
  assertEquals(bom, { kind: "text", text: "{}" });
  for (const bytes of [[0xff, 0xfe], [0x7b, 0xc3]]) { // the second one is cut in a character
    const response = new Response(new Uint8Array(bytes));
    assertEquals(await readBoundedBody(response, { maxBytes: 9, signal }), { kind: "not_utf8" });
  }
});

Deno.test("readBoundedBody() throws the signal's reason and gives the body up", async () => {
  const { stream, seen } = endless(new Uint8Array(1));
  const abort = new AbortController();
  const reading = readBoundedBody(new Response(stream), { maxBytes: 9, signal: abort.signal });
  const reason = new Error("enough");
  abort.abort(reason);
  assertEquals(await assertRejects(() => reading), reason);
  assert(seen.cancelled);
});

Deno.test("readBoundedBody() takes no body for empty text", async () => {
  const response = new Response(null, { status: 204 });
  assertEquals(await readBoundedBody(response, { maxBytes: 9, signal }), {
    kind: "text",
    text: "",
  });
});
