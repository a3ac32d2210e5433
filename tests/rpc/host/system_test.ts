import { HostSystem, type SystemStatus } from "../../../src/rpc/host/system.ts";
import { systemClock } from "../../../src/resilience/clock.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertRejects,
} from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const { signal } = new AbortController();

/** A `/proc` in which a test sets the time spent and the bytes moved. */
function fakeProc() {
  const files = { busy: 1000, idle: 9000, received: 500, sent: 50, interfaces: ["eth0"] };
  const readText = (path: string) => {
    switch (path) {
      case "/proc/stat":
        return Promise.resolve(`cpu  ${files.busy} 0 0 ${files.idle} 0 0 0 0 0 0\n`);
      case "/proc/loadavg":
        return Promise.resolve("0.1 0.2 0.3 4/56 789\n");
      case "/proc/net/dev":
        return Promise.resolve(
          files.interfaces.map((name) => {
            return ` ${name}: ${files.received} 1 0 0 0 0 0 0 ${files.sent} 1 0 0 0 0 0 0\n`;
          }).join(""),
        );
    }
    return Promise.reject(new Deno.errors.NotFound());
  };
  return { files, readText };
}

/** A first reading, with the second sample that it waits for. */
async function firstReading(system: HostSystem, clock: FakeClock): Promise<SystemStatus> {
  const reading = system.read({ signal });
  await clock.advance(100);
  return await reading;
}

Deno.test({
  name: "HostSystem.read() tells this machine's figures",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const system = new HostSystem({ readText: Deno.readTextFile, clock: systemClock });
    const status = await system.read({ signal });
    const meminfo = await Deno.readTextFile("/proc/meminfo");
    const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(meminfo)?.[1]);
    const { memory, swap, cpu, network, load_average } = status;
    assert(memory && swap && network && load_average && cpu.usage_ratio !== undefined);
    assertEquals(memory.total_bytes, kib("MemTotal") * 1024);
    assertEquals(memory.used_bytes, memory.total_bytes - memory.available_bytes);
    const tenth = memory.total_bytes / 10;
    assertAlmostEquals(memory.available_bytes, kib("MemAvailable") * 1024, tenth);
    assertAlmostEquals(memory.used_ratio, memory.used_bytes / memory.total_bytes, 1e-9);
    assertEquals(swap.total_bytes, kib("SwapTotal") * 1024);
    assert(cpu.usage_ratio >= 0 && cpu.usage_ratio <= 1);
    const stat = await Deno.readTextFile("/proc/stat");
    assertEquals(cpu.count, stat.match(/^cpu\d+ /gm)?.length);
    const uptime = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]);
    assertAlmostEquals(status.uptime_seconds ?? NaN, uptime, 5);
    const release = await Deno.readTextFile("/proc/sys/kernel/osrelease");
    assertEquals(status.os_release, release.trim());
    const hostname = await Deno.readTextFile("/proc/sys/kernel/hostname");
    assertEquals(status.hostname, hostname.trim());
    const names = (await Deno.readTextFile("/proc/net/dev")).split("\n").slice(2, -1)
      .map((line) => line.split(":")[0]?.trim() ?? "");
    assertEquals(network.map((each) => each.name), names);
    assertGreater(status.threads?.total ?? 0, 0);
    assertEquals(status.missing, undefined);
  },
});

Deno.test("HostSystem.read() measures the first usage over a second sample", async () => {
  const clock = new FakeClock();
  const { files, readText } = fakeProc();
  const system = new HostSystem({ readText, clock });
  const reading = system.read({ signal });
  await clock.advance(99);
  files.busy += 15;
  files.idle += 5;
  files.received += 20;
  await clock.advance(1);
  const status = await reading;
  assertAlmostEquals(status.cpu.usage_ratio ?? NaN, 0.75);
  assertEquals(status.network?.[0]?.received_bytes_per_second, 200);
  assertEquals(status.threads, { running: 4, total: 56 });
  assertEquals(clock.sleeping, 0);
});

Deno.test("HostSystem.read() measures later usage and rates since the previous reading", async () => {
  const clock = new FakeClock();
  const { files, readText } = fakeProc();
  const system = new HostSystem({ readText, clock });
  await firstReading(system, clock);
  await clock.advance(5000);
  files.busy += 100;
  files.idle += 900;
  files.received += 10_000;
  files.sent += 500;
  const { cpu, network } = await system.read({ signal });
  assertAlmostEquals(cpu.usage_ratio ?? NaN, 0.1);
  assertEquals(network?.[0]?.received_bytes, 10_500);
  assertEquals(network?.[0]?.received_bytes_per_second, 2000);
  assertEquals(network?.[0]?.sent_bytes_per_second, 100);
});

Deno.test("HostSystem.read() shares its ratios between readings at nearly the same time", async () => {
  const clock = new FakeClock();
  const { files, readText } = fakeProc();
  const system = new HostSystem({ readText, clock });
  await firstReading(system, clock);
  await clock.advance(1000);
  files.busy += 50;
  files.idle += 50;
  const first = await system.read({ signal });
  files.busy += 1; // one tick more would be 100 % over so short a time
  const second = await system.read({ signal });
  assertEquals(second.cpu.usage_ratio, first.cpu.usage_ratio);
  assertEquals(second.cpu.usage_ratio, 0.5);
});

Deno.test("HostSystem.read() gives no rate where the counters began anew or the interface is new", async () => {
  const clock = new FakeClock();
  const { files, readText } = fakeProc();
  const system = new HostSystem({ readText, clock });
  await firstReading(system, clock);
  await clock.advance(1000);
  files.received = 3;
  files.interfaces.push("eth1");
  const { network } = await system.read({ signal });
  assertEquals(network?.map((each) => [each.name, each.received_bytes_per_second]), [
    ["eth0", undefined],
    ["eth1", undefined],
  ]);
});

Deno.test("HostSystem.read() lists no more than 128 interfaces and says so", async () => {
  const clock = new FakeClock();
  const { files, readText } = fakeProc();
  files.interfaces = Array.from({ length: 200 }, (_, each) => `veth${each}`);
  const status = await firstReading(new HostSystem({ readText, clock }), clock);
  assertEquals(status.network?.length, 128);
  assertEquals(status.missing, [
    { field: "network", reason: "only 128 of 200 interfaces are listed" },
  ]);
});

Deno.test("HostSystem.read() tells what it can without /proc, and what is missing", async () => {
  const clock = new FakeClock();
  const readText = () => Promise.reject(new Deno.errors.NotFound());
  const status = await firstReading(new HostSystem({ readText, clock }), clock);
  assertGreater(status.memory?.total_bytes ?? 0, 0);
  assert(status.cpu.usage_ratio !== undefined && status.cpu.count > 0);
  assertEquals(status.network, undefined);
  assertEquals(status.missing, [{ field: "network", reason: "this system does not tell" }]);
});

Deno.test("HostSystem.read() aborted in its first wait throws the reason", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const reading = new HostSystem({ ...fakeProc(), clock }).read({ signal: abort.signal });
  await clock.advance(50);
  assertEquals(clock.sleeping, 1);
  const reason = new Error("enough");
  abort.abort(reason);
  assertEquals(await assertRejects(() => reading), reason);
  assertEquals(clock.sleeping, 0);
});
