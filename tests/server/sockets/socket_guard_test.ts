import { SocketGuard } from "../../../src/server/sockets/socket_guard.ts";
import { logOf, startLogs } from "../../../src/telemetry/log.ts";
import { assert, assertEquals, assertFalse } from "../../support/assert.ts";
import { settle } from "../../support/fake_clock.ts";
import { connected } from "../../platform/connected.ts";

const LISTENER = { hostname: "127.0.0.1", port: 1 };

Deno.test("SocketGuard says once that it has no way to the C library, and disturbs nothing", async () => {
  const lines: string[] = [];
  await using _logs = startLogs({
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

Deno.test("SocketGuard shows a connection again only once the client on it has gone", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using guard = new SocketGuard({ stallTimeoutMs: 1000 });
  guard.tune(listener.addr);
  using held = await connected(listener);
  using other = await connected(listener);
  const hold = { isOver: false };
  const shown = () => {
    const keys: string[] = [];
    guard.sweep((key) => {
      keys.push(key);
      return key === held.key ? hold : "keep";
    }, { nth: 0, of: 1 });
    return new Set(keys);
  };
  assertEquals(shown(), new Set([held.key, other.key]));
  assertEquals(shown(), new Set([other.key]), "the client's is left alone");
  const received = guard.received({ nth: 0, of: 1 });
  assertEquals(new Set(received.keys()), new Set([held.key, other.key]), "its bytes are counted");
  hold.isOver = true;
  assertEquals(shown(), new Set([held.key, other.key]));
});
