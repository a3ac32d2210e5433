import { reloaded } from "../../src/server/reloaded.ts";
import { assertEquals } from "../support/assert.ts";
import { configOf } from "../support/hub_in_process.ts";

const TLS = { cert: "/a/cert.pem", key: "/a/key.pem" };
const OTHER_TLS = { cert: "/b/cert.pem", key: "/b/key.pem" };

Deno.test("reloaded() takes what can change under the clients from the new configuration", () => {
  const before = configOf({ log: { level: "info", format: "pretty" } });
  const after = configOf({
    backends: { core: { transport: "host" } },
    sources: [{ channel: "a", backend: "core", method: "GetSystemStatus" }],
    auth: { tokens: [{ name: "t", token: "secret" }] },
    origins: ["https://ops.example.com"],
    log: { level: "debug", format: "json" },
  });
  const { backends, sources, auth, origins, log } = reloaded(before, after);
  assertEquals({ backends, sources, auth, origins }, {
    backends: after.backends,
    sources: after.sources,
    auth: after.auth,
    origins: after.origins,
  });
  assertEquals(log, { level: "debug", format: "pretty" });
});

Deno.test("reloaded() leaves the rest to a restart", () => {
  const before = configOf({});
  const after = configOf({
    listen: "127.0.0.1:1",
    hub: { max_clients: 1 },
    trust_proxy: true,
    shutdown: { drain: "1s" },
    cluster: { nats: "nats://127.0.0.1:4222" },
    tls: TLS,
  });
  assertEquals(reloaded(before, after), before);
  assertEquals(reloaded(after, before), { ...after, log: before.log });
});

Deno.test("reloaded() takes other files of a certificate, not the turning on or off of TLS", () => {
  const plain = configOf({});
  const before = configOf({ tls: TLS });
  assertEquals(reloaded(before, configOf({ tls: OTHER_TLS })).tls, OTHER_TLS);
  assertEquals(reloaded(before, plain).tls, TLS);
  assertEquals(reloaded(plain, before).tls, undefined);
});
