import { assertEquals, assertStrictEquals } from "../support/assert.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeNetwork, statusFrame } from "./fake_socket.ts";
import { type ClientOptions, HoldfastClient } from "../../src/client/mod.ts";
import { browserWakeUps } from "../../src/client/wake_ups.ts";

/** A clock whose monotonic half stands still while the machine sleeps. */
class SuspendableClock extends FakeClock {
  #sleptMs = 0;

  override unixSeconds(): number {
    return super.unixSeconds() + this.#sleptMs / 1000;
  }

  sleepMachine(ms: number): void {
    this.#sleptMs += ms;
  }
}

/** A client whose browser wakes when the test says so. */
function rig(options: ClientOptions = {}) {
  const clock = new SuspendableClock();
  const network = new FakeNetwork();
  const listeners = new Set<() => void>();
  const client = new HoldfastClient("http://hub.test", {
    clock,
    WebSocket: network.WebSocket,
    askDoor: options.fetch !== undefined,
    random: () => 0.5,
    backoff: { minMs: 20_000, maxMs: 30_000 },
    wakeUps(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ...options,
  });
  return {
    clock,
    network,
    client,
    wake: () => listeners.forEach((listener) => listener()),
    async [Symbol.asyncDispose]() {
      await client.close();
      assertEquals(listeners.size, 0, "a listener was left behind");
      assertEquals(clock.sleeping, 0, "a timer was left behind");
    },
  };
}

Deno.test("C37: a wake-up ends the wait of the backoff, but not twice within a second", async () => {
  await using it = rig();
  await settle();
  it.network.last.drop();
  await it.clock.advance(1000);
  const waiting = it.network.sockets.length;
  it.wake();
  await settle();
  assertEquals(it.network.sockets.length, waiting + 1);
  it.network.last.drop();
  await settle();
  it.wake();
  await it.clock.advance(999);
  assertEquals(
    it.network.sockets.length,
    waiting + 1,
    "a network that flaps is no reason to hurry",
  );
  await it.clock.advance(1);
  it.wake();
  await settle();
  assertEquals(it.network.sockets.length, waiting + 2);
});

Deno.test("C37: a wake-up does not cut short what the hub asked for", async () => {
  await using it = rig({
    fetch: () =>
      Promise.resolve(new Response("full", { status: 503, headers: { "retry-after": "7" } })),
  });
  await settle();
  it.network.last.drop();
  await it.clock.advance(3000);
  it.wake();
  await settle();
  assertEquals(it.network.sockets.length, 1);
});

Deno.test("C37: a laptop that wakes leaves a connection that died in its sleep, and ages have gone on", async () => {
  await using it = rig();
  await settle();
  it.network.last.welcome({ heartbeat_ms: 1000 });
  it.network.last.give(statusFrame(1, 1));
  it.clock.sleepMachine(3_600_000);
  const state = it.client.read("system_status");
  assertEquals(state.kind === "live" && state.ageMs, 3_600_000);
  it.wake();
  await settle();
  assertEquals(it.client.state.kind, "waiting");
  assertEquals(it.client.read("system_status").kind, "stale");
  assertEquals(it.network.sockets.length, 1);
});

Deno.test("browserWakeUps() listens to page and network, and lets go", () => {
  const page = new EventTarget();
  const shown = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  const before = Object.getOwnPropertyDescriptors(globalThis);
  let calls = 0;
  try {
    Object.defineProperties(globalThis, {
      document: { value: shown, configurable: true },
      addEventListener: { value: page.addEventListener.bind(page), configurable: true },
      removeEventListener: { value: page.removeEventListener.bind(page), configurable: true },
    });
    const stop = browserWakeUps(() => calls += 1);
    const fire = () => {
      page.dispatchEvent(new Event("online"));
      page.dispatchEvent(new Event("pageshow"));
      shown.dispatchEvent(new Event("visibilitychange"));
    };
    fire();
    assertEquals(calls, 2, "a page that is hidden is no reason");
    shown.visibilityState = "visible";
    fire();
    assertEquals(calls, 5);
    stop();
    fire();
    assertEquals(calls, 5);
  } finally {
    for (const name of ["document", "addEventListener", "removeEventListener"] as const) {
      const descriptor = (before as Record<string, PropertyDescriptor>)[name];
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete (globalThis as Record<string, unknown>)[name];
    }
  }
});

Deno.test("C35: read() gives the same object until something changes", async () => {
  await using it = rig();
  const { client, clock, network } = it;
  assertStrictEquals(client.read("system_status"), client.read("system_status"));
  await settle();
  network.last.welcome();
  network.last.give(statusFrame(1, 1, { age_ms: 40 }));
  const live = client.read("system_status");
  await clock.advance(60);
  assertStrictEquals(client.read("system_status"), live);
  assertEquals(live.kind === "live" && live.ageMs, 100, "its age goes on");
  assertEquals(JSON.parse(JSON.stringify(live)).ageMs, 100);
  assertEquals({ ...live }, live);
  network.last.give(statusFrame(1, 2));
  assertEquals(client.read("system_status") === live, false, "a new value is a change");
  network.last.drop();
  await settle();
  const stale = client.read("system_status");
  await clock.advance(10);
  assertStrictEquals(client.read("system_status"), stale);
});
