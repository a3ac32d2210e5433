import { HubStats } from "../../src/hub/hub_stats.ts";
import { Session } from "../../src/hub/session.ts";
import { HubSessionHost } from "../../src/hub/session_host.ts";
import { encodeFrame } from "../../src/protocol/codec.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { LIMITS, text } from "../support/hub_bench.ts";

/** Sessions with a host, and what it had done about them. */
class HostBench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly heard: string[] = [];
  readonly host: HubSessionHost;
  readonly #sessions: Session[] = [];
  readonly #stop = new AbortController();

  constructor() {
    const { heard } = this;
    this.host = new HubSessionHost({
      clock: this.clock,
      signal: this.#stop.signal,
      limits: LIMITS,
      stats: new HubStats(),
      registry: { all: () => this.#sessions.values() },
      sequence: { outlivesMemory: true },
      requests: {
        answer: ({ id }, { type }) => heard.push(`answer ${id} ${type}`),
        sendError: ({ id }, code) => heard.push(`error ${id} ${code}`),
      },
      disconnects: {
        dropSlow: ({ id }, _, { withinMs } = {}) => {
          heard.push(`drop ${id} within ${withinMs} at ${this.clock.now()}`);
          this.#sessions.length = 0;
        },
        expel: ({ id }, close) => heard.push(`expel ${id} ${close}`),
      },
    });
  }

  session(transport = new FakeTransport()): Session {
    const { host } = this;
    const id = `${this.#sessions.length + 1}`;
    const progress = { events: 0, errors: 0 };
    const session = new Session({ id, transport, host, now: this.clock.now(), progress });
    this.#sessions.push(session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(0);
    assertEquals(this.clock.sleeping, 0, "a loop goes on");
  }
}

Deno.test("HubSessionHost has messages answered, and bad ones told of", async () => {
  await using bench = new HostBench();
  const session = bench.session();
  session.receive('{"type":"ping"}', 0);
  session.receive("{", 0);
  assertEquals(bench.heard, ["answer 1 ping", "error 1 BAD_MESSAGE"]);
});

Deno.test("HubSessionHost has a client dropped that takes nothing, in its transport's own time", async () => {
  await using bench = new HostBench();
  const transport = new FakeTransport();
  transport.isStalled = true;
  const session = bench.session(transport);
  session.deliver(encodeFrame("a", text(1), 0), "status", 0);
  await bench.clock.advance(14_000);
  assertEquals(bench.heard, []);
  await bench.clock.advance(3000);
  assertEquals(bench.heard.length, 1);
  assertEquals(bench.heard[0]?.startsWith("drop 1 within undefined at "), true);
});

Deno.test("HubSessionHost gives a client that is evicted a shorter time to go", async () => {
  await using bench = new HostBench();
  bench.host.onEvicted(bench.session(), "others wait for its room");
  assertEquals(bench.heard, ["drop 1 within 250 at 0"]);
});

Deno.test("HubSessionHost counts writes that failed", async () => {
  await using bench = new HostBench();
  const transport = new FakeTransport();
  transport.isBroken = true;
  bench.session(transport).deliver(encodeFrame("a", text(1), 0), "status", 0);
  assertEquals(bench.host.writeErrors, 1);
});
