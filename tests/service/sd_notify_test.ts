import { assert, assertEquals, assertGreater, assertMatch } from "../support/assert.ts";
import { openLibc } from "../../src/platform/libc.ts";
import { createServiceNotifier } from "../../src/service/sd_notify.ts";
import { NotifySocket } from "./notify_socket.ts";
import { environment, hasProgram, Logged } from "./support.ts";

const noLibc = () => ({ unavailable: "not in this test" });

function abstractName(): string {
  return `@holdfast-${crypto.randomUUID()}`;
}

async function tellAll(path: string): Promise<void> {
  await using manager = await NotifySocket.bind(path);
  using notifier = createServiceNotifier(environment({ NOTIFY_SOCKET: path }));
  notifier.ready("listening on http://127.0.0.1:8787");
  notifier.watchdog();
  notifier.status("3 clients");
  notifier.reloading();
  notifier.ready("3 clients");
  notifier.stopping();
  await manager.waitFor("STOPPING=1");
  const [ready, watchdog, status, reloading, reloaded, stopping, ...more] = manager.messages;
  assertEquals(ready, "READY=1\nSTATUS=listening on http://127.0.0.1:8787");
  assertEquals(watchdog, "WATCHDOG=1");
  assertEquals(status, "STATUS=3 clients");
  assertMatch(reloading ?? "", /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  assertEquals([reloaded, stopping, more], ["READY=1", "STOPPING=1", []]);
}

Deno.test("createServiceNotifier() tells a socket with a path", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await tellAll(`${directory}/notify`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("createServiceNotifier() tells a socket with an abstract name", () =>
  tellAll(abstractName()));

Deno.test("ServiceNotifier.reloading() stamps it with the kernel's monotonic clock", async () => {
  await using manager = await NotifySocket.bind(abstractName());
  const python = async () => {
    const { stdout } = await new Deno.Command("/usr/bin/python3", {
      args: ["-c", "import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)"],
    }).output();
    return BigInt(new TextDecoder().decode(stdout).trim());
  };
  using notifier = createServiceNotifier(environment({ NOTIFY_SOCKET: manager.path }));
  const before = await python();
  notifier.reloading();
  const after = await python();
  await manager.waitFor("RELOADING=1");
  const stamp = BigInt(manager.lines[1]?.replace("MONOTONIC_USEC=", "") ?? "0");
  assert(before <= stamp && stamp <= after, `${before} <= ${stamp} <= ${after}`);
});

Deno.test("createServiceNotifier() takes its variables out of the environment", () => {
  const env = environment({
    NOTIFY_SOCKET: abstractName(),
    WATCHDOG_USEC: "3000000",
    WATCHDOG_PID: String(Deno.pid),
    CORE_TOKEN: "stays",
    PATH: "/usr/bin",
  });
  using _notifier = createServiceNotifier(env);
  assertEquals([...env.left.keys()], ["CORE_TOKEN", "PATH"]);
});

Deno.test("createServiceNotifier() does nothing, and says nothing, without a manager", async () => {
  await using logged = Logged.start("debug");
  using notifier = createServiceNotifier(environment({ WATCHDOG_USEC: "3000000" }));
  notifier.ready("up");
  notifier.reloading();
  notifier.status("up");
  notifier.watchdog();
  notifier.stopping();
  await notifier.flushed();
  assertEquals([notifier.feedEveryMs, logged.lines], [undefined, []]);
});

Deno.test("ServiceNotifier.feedEveryMs is a third of the interval that is meant for us", () => {
  const feedEveryMs = (variables: Record<string, string>) => {
    using notifier = createServiceNotifier(
      environment({ NOTIFY_SOCKET: abstractName(), ...variables }),
    );
    return notifier.feedEveryMs;
  };
  const pid = String(Deno.pid);
  assertEquals(feedEveryMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: pid }), 10_000);
  assertEquals(feedEveryMs({ WATCHDOG_USEC: "30000000" }), 10_000);
  assertEquals(feedEveryMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }), undefined);
  assertEquals(feedEveryMs({}), undefined);
  for (const WATCHDOG_USEC of ["0", "-5", "soon", ""]) {
    assertEquals(feedEveryMs({ WATCHDOG_USEC }), undefined);
  }
});

Deno.test("ServiceNotifier.status() cannot begin another variable, and repeats nothing", async () => {
  await using manager = await NotifySocket.bind(abstractName());
  using notifier = createServiceNotifier(environment({ NOTIFY_SOCKET: manager.path }));
  notifier.status("one\nSTOPPING=1\r\nMAINPID=1");
  notifier.status("one\nSTOPPING=1\r\nMAINPID=1");
  notifier.status("x".repeat(10_000));
  notifier.watchdog();
  await manager.waitFor("WATCHDOG=1");
  assertEquals(manager.messages, [
    "STATUS=one STOPPING=1 MAINPID=1",
    `STATUS=${"x".repeat(200)}`,
    "WATCHDOG=1",
  ]);
});

Deno.test("ServiceNotifier tries again while the manager has no room, with what is newest", async () => {
  await using logged = Logged.start();
  await using manager = await NotifySocket.bind(abstractName(), { waits: true });
  const libc = openLibc();
  assert(!("unavailable" in libc));
  using _libc = libc;
  let filled = 0;
  while (libc.sendDatagram(manager.path, new TextEncoder().encode("FILL")).ok) filled++;
  using notifier = createServiceNotifier(environment({ NOTIFY_SOCKET: manager.path }));
  notifier.ready("starting");
  notifier.status("1 client");
  notifier.status("2 clients");
  await manager.receive();
  await notifier.flushed();
  await manager.waitFor("STATUS=2 clients");
  assertGreater(filled, 0);
  const told = manager.lines.filter((line) => line !== "FILL");
  assertEquals(told.toSorted(), ["READY=1", "STATUS=2 clients"]);
  assertEquals(logged.of("notify.failed").map(({ retried }) => retried), [true]);
});

Deno.test("ServiceNotifier logs once that nobody is there, and goes on", async () => {
  await using logged = Logged.start();
  using notifier = createServiceNotifier(environment({ NOTIFY_SOCKET: abstractName() }));
  for (let i = 0; i < 5; i++) notifier.watchdog();
  await notifier.flushed();
  assertEquals(logged.lines.map(({ event }) => event), ["notify.failed"]);
  assertMatch(String(logged.lines[0]?.why), /ECONNREFUSED/);
});

Deno.test("ServiceNotifier sends nothing once disposed of", async () => {
  await using manager = await NotifySocket.bind(abstractName());
  const notifier = createServiceNotifier(environment({ NOTIFY_SOCKET: manager.path }));
  notifier.ready("up");
  notifier[Symbol.dispose]();
  notifier[Symbol.dispose]();
  notifier.stopping();
  await manager.waitFor("READY=1");
  assertEquals(manager.messages.length, 1);
});

Deno.test({
  name: "createServiceNotifier() uses systemd-notify where there is no C library",
  ignore: !hasProgram("systemd-notify"),
  async fn() {
    await using manager = await NotifySocket.bind(abstractName());
    const env = environment({ NOTIFY_SOCKET: manager.path, PATH: "/usr/bin:/bin" });
    using notifier = createServiceNotifier(env, { openLibc: noLibc });
    notifier.ready("up");
    notifier.status("between"); // waits for the program, and is overtaken by the next
    notifier.status("2 clients");
    await notifier.flushed();
    await manager.waitFor("STATUS=2 clients");
    assertEquals(manager.lines, ["READY=1", "STATUS=up", "STATUS=2 clients"]);
  },
});

Deno.test({
  name: "createServiceNotifier() says honestly that it can tell nobody",
  permissions: { env: true, read: true },
  async fn() {
    await using logged = Logged.start();
    const env = environment({ NOTIFY_SOCKET: "@nobody", WATCHDOG_USEC: "3000000" });
    using notifier = createServiceNotifier(env, { openLibc: noLibc });
    notifier.ready("up");
    await notifier.flushed();
    const [line, ...more] = logged.lines;
    assertEquals([line?.event, line?.level, more], ["notify.unavailable", "warning", []]);
    assertEquals(
      line?.why,
      "not in this test; systemd-notify needs --allow-run=systemd-notify",
    );
    assertEquals(notifier.feedEveryMs, undefined);
  },
});
