import { valueOutcome } from "../../src/rpc/backend.ts";
import { type BackendOptions, createBackend } from "../../src/rpc/create_backend.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { httpAnswer, replying } from "./raw_server.ts";

const { signal } = new AbortController();

Deno.test("createBackend() makes a backend of each transport", async () => {
  await using rpc = replying(httpAnswer("200 OK", `{"jsonrpc":"2.0","id":1,"result":1}`));
  await using http = replying(httpAnswer("200 OK", "2"));
  const made: [BackendOptions, unknown][] = [
    [{ transport: "json-rpc", url: rpc.url, maxResponseBytes: 99 }, valueOutcome(1)],
    [{ transport: "http-json", url: http.url, maxResponseBytes: 99 }, valueOutcome(2)],
    [{ transport: "host" }, {
      kind: "rejected",
      reason: "the host backend has no such method; it has GetSystemStatus and GetStorage",
    }],
  ];
  for (const [options, expected] of made) {
    await using backend = createBackend(options);
    assertEquals<unknown>(await backend.call({ method: "m" }, { signal }), expected);
  }
});

Deno.test("createBackend() throws if the transport is unknown", () => {
  const options = { transport: "carrier-pigeon" } as unknown as BackendOptions;
  assertThrows(() => createBackend(options), RangeError, "carrier-pigeon");
});
