import { SocketGuard } from "../../../src/server/sockets/socket_guard.ts";
import { logOf, startLogs } from "../../../src/telemetry/log.ts";
import { assert, assertEquals, assertFalse } from "../../support/assert.ts";
import { settle } from "../../support/fake_clock.ts";

const LISTENER = { hostname: "127.0.0.1", port: 1 };

Deno.test("SocketGuard says once that it has no way to the C library, and disturbs nothing", async () => {
  const lines: string[] = [];
  await using _logs = await startLogs({
    level: "warning",
    format: "json",
    write: (line) => void lines.push(line),
  });
  using guard = new SocketGuard({
    stallTimeoutMs: 1000,
    open: () => ({ unavailable: "not on this system" }),
  });
  assertFalse(guard.isAvailable);
  guard.tune(LISTENER);
  guard.abort({ hostname: "127.0.0.1", port: 2 });
  await settle();
  assertEquals(guard.received().size, 0);
  assertEquals(guard.unread(new Set(["x"])).size, 0);
  logOf("server").warning("end");
  assertEquals(lines.length, 2);
  assert(lines[0]?.includes("not on this system"));
});
