import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { valueOutcome } from "../../../src/rpc/backend.ts";
import { createHttpJsonBackend } from "../../../src/rpc/http/http_json.ts";
import { assertEquals } from "../../support/assert.ts";
import { httpAnswer, rawServer, readRequest, write } from "../raw_server.ts";

const { signal } = new AbortController();

async function outcomeOf(body: Uint8Array, encoding: string) {
  await using server = rawServer(async (conn) => {
    if (await readRequest(conn) === undefined) return;
    await write(conn, httpAnswer("200 OK", body, `Content-Encoding: ${encoding}\r\n`));
  });
  await using backend = createHttpJsonBackend({ url: server.url, maxResponseBytes: 10_000 });
  return await backend.call({ method: "m" }, { signal });
}

const members = new Uint8Array([...gzipSync('{"a":1,'), ...gzipSync('"b":2}')]);

for (
  const [encoding, body] of [
    ["gzip", members],
    ["x-gzip", members],
    ["GZIP", members],
    ["deflate", deflateSync('{"a":1,"b":2}')],
    ["br", brotliCompressSync('{"a":1,"b":2}')],
    ["identity", new TextEncoder().encode('{"a":1,"b":2}')],
  ] as const
) {
  Deno.test(`C22: decodedBody() unpacks ${encoding}, several members of it too`, async () => {
    assertEquals(await outcomeOf(body, encoding), valueOutcome({ a: 1, b: 2 }));
  });
}

Deno.test("C22: decodedBody() makes a damaged body one the backend could not give", async () => {
  assertEquals(await outcomeOf(members.slice(0, 40), "gzip"), {
    kind: "unavailable",
    reason: "the compressed answer is damaged",
  });
  assertEquals(await outcomeOf(new TextEncoder().encode("{}"), "gzip"), {
    kind: "unavailable",
    reason: "the compressed answer is damaged",
  });
});

Deno.test("C22: decodedBody() names a way of packing it does not know", async () => {
  assertEquals(await outcomeOf(members, "zstd"), {
    kind: "unavailable",
    reason: "the answer is packed in a way not known here (zstd)",
  });
});
