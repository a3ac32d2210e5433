import { startLogs } from "../../src/telemetry/log.ts";
import { assertEquals } from "../support/assert.ts";
import { HubBench, text } from "../support/hub_bench.ts";

interface Line {
  readonly event: string;
  readonly client_id?: string;
  readonly code?: string;
  readonly close?: number;
  readonly why?: string;
}

Deno.test("Hub logs of each client that goes its id, why, the close code and the error's code", async () => {
  const lines: Line[] = [];
  await using _logs = startLogs({
    level: "info",
    format: "json",
    write: (line) => void lines.push(JSON.parse(line)),
  });
  await using bench = new HubBench();
  const { hub } = bench;
  const gone: string[] = [];
  const client = (options = {}) => {
    const made = bench.connect(options);
    gone.push(made.session.id);
    return made;
  };
  hub.disconnected(client().session, { clean: true, code: 1000 });
  hub.disconnected(client().session, { clean: false, code: 0 });
  client().session.receive("x".repeat(2000), 0);
  hub.expel(client().session, "expired");
  const slow = client({ channels: ["notification"] });
  slow.transport.bufferedBytes = 1_000_000;
  hub.broadcast("notification", text({ nth: -1 }));
  await bench.clock.advance(200); // time enough to take something
  for (let nth = 0; nth < 9; nth++) hub.broadcast("notification", text({ nth }));
  const broken = client({ channels: ["notification"] });
  broken.transport.isBroken = true;
  hub.broadcast("notification", text({}));
  await bench.clock.advance(1000);
  client();
  hub.closeFlushed({ force: true });

  const left = lines.filter(({ event }) => event === "client.disconnected");
  assertEquals(left.map(({ client_id = "" }) => client_id), gone);
  assertEquals(left.map(({ why, close, code }) => [why, close, code]), [
    ["client closed", 1000, undefined],
    ["client vanished", 0, "CLIENT_DISCONNECTED"],
    ["message too big", 1009, "BAD_MESSAGE"],
    ["the token has expired", 1008, undefined],
    ["slow client", 1013, "SLOW_CLIENT"],
    ["the connection could not be written to", 1011, "CLIENT_DISCONNECTED"],
    ["shutdown", 1001, "SERVER_SHUTDOWN"],
  ]);
});
