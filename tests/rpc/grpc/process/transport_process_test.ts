import { grpcCommand } from "../../../../src/cli/grpc_process.ts";
import { systemClock } from "../../../../src/resilience/clock.ts";
import type { ProcessOptions } from "../../../../src/rpc/grpc/process/supervised_process.ts";
import { TransportProcess } from "../../../../src/rpc/grpc/process/transport_process.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../../support/assert.ts";
import { Chance } from "../../../support/seed.ts";
import { hostilePeer } from "../../../support/http2/hostile_peer.ts";
import { ask, backendOf, seenBy, startServer, until } from "../support.ts";

/** A backend whose calls go through a process, and that process. */
function viaProcess(url: string, options: Partial<ProcessOptions> = {}) {
  let process: TransportProcess | undefined;
  const backend = backendOf(url, {
    openTransport: (endpoint) =>
      process = new TransportProcess(endpoint, {
        command: grpcCommand(),
        clock: systemClock,
        restart: { minMs: 20, maxMs: 100 },
        ...options,
      }),
  });
  if (process === undefined) throw new TypeError("not opened");
  return { backend, process };
}

function isAlive(pid: number): boolean {
  try {
    // A process that has ended and was not waited for yet is a zombie.
    return !/^\d+ \(.*\) Z/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

const isLinux = Deno.build.os === "linux";

Deno.test("TransportProcess carries values, failures, deadlines and what is given up", async () => {
  await using server = await startServer();
  const { backend } = viaProcess(server.url);
  await using _closed = backend;
  assertEquals((await ask(backend, "Describe", { diskName: "sda" })).kind, "ok");
  assertMatch(
    JSON.stringify(await ask(backend, "Fail", { code: 3, message: "no" })),
    /rejected.*INVALID_ARGUMENT: no/,
  );
  assertMatch(
    JSON.stringify(await ask(backend, "Big", { bytes: 200_000 })),
    /unavailable.*larger than 100000 bytes/,
  );
  assertEquals((await ask(backend, "Big", { bytes: 90_000 })).kind, "ok");
  const late = await ask(backend, "Hang", {}, { deadlineMs: 100 });
  assertMatch(JSON.stringify(late), /unavailable.*DEADLINE_EXCEEDED/);
  const controller = new AbortController();
  const hanging = ask(backend, "Hang", {}, { signal: controller.signal });
  await until(async () => (await seenBy(backend))["hangs"] === 2);
  controller.abort(new Error("enough"));
  await assertRejects(() => hanging, Error, "enough");
});

Deno.test("C01: a gRPC process that dies is an unavailable, and is started again", async () => {
  await using server = await startServer();
  const { backend, process } = viaProcess(server.url);
  await using _closed = backend;
  assertEquals((await ask(backend, "Seen")).kind, "ok");
  const hanging = ask(backend, "Hang");
  await until(async () => (await seenBy(backend))["hangs"] === 1);
  const first = process.pid;
  assert(first !== undefined);
  Deno.kill(first, "SIGKILL");
  assertEquals(await hanging, {
    kind: "unavailable",
    reason: "the gRPC process was ended by SIGKILL",
  });
  await until(async () => (await ask(backend, "Seen")).kind === "ok");
  assert(process.pid !== first);
  assertEquals(process.deaths, 1);
});

Deno.test("C01: a gRPC process that hangs is killed and started again", async () => {
  await using server = await startServer();
  const { backend, process } = viaProcess(server.url, { pingEveryMs: 100 });
  await using _closed = backend;
  assertEquals((await ask(backend, "Seen")).kind, "ok");
  const first = process.pid;
  assert(first !== undefined);
  // Its first answer to a ping may be under way still: what counts is that it is over in the end.
  Deno.kill(first, "SIGSTOP");
  assertEquals(await ask(backend, "Seen"), {
    kind: "unavailable",
    reason: "the gRPC process hung and was killed",
  });
  await until(async () => (await ask(backend, "Seen")).kind === "ok");
  if (isLinux) assert(!isAlive(first));
});

Deno.test("TransportProcess takes nonsense from its process for the end of it", async () => {
  const speak = (script: string) => ({ program: "/bin/sh", args: ["-c", script] });
  const { backend, process } = viaProcess("http://127.0.0.1:1", {
    command: speak("echo this is no message at all; cat >/dev/null"),
    restart: { minMs: 60_000, maxMs: 60_000, jitter: 0 },
  });
  await using _closed = backend;
  await until(() => Promise.resolve(process.deaths === 1));
  const outcome = await ask(backend, "Seen");
  assertMatch(JSON.stringify(outcome), /unavailable.*sent what cannot be understood/);
});

Deno.test("TransportProcess says why there is no process", async () => {
  const { backend, process } = viaProcess("http://127.0.0.1:1", {
    command: { program: "/bin/sh", args: ["-c", "echo out of luck >&2; exit 7"] },
    restart: { minMs: 60_000, maxMs: 60_000, jitter: 0 },
  });
  await using _closed = backend;
  await until(() => Promise.resolve(process.deaths === 1));
  assertEquals(await ask(backend, "Seen"), {
    kind: "unavailable",
    reason: "the gRPC process ended with exit code 7: out of luck",
  });
});

Deno.test("TransportProcess says which permission is missing", async () => {
  const script = new URL("../peers/one_call.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", "--allow-read", "--allow-env", script],
    stderr: "inherit",
  }).output();
  assertMatch(new TextDecoder().decode(stdout), /unavailable.*this process needs --allow-run/);
});

Deno.test("TransportProcess gives its process none of the hub's secrets", async () => {
  Deno.env.set("HOLDFAST_TEST_SECRET", "s3cret");
  try {
    const { backend, process } = viaProcess("http://127.0.0.1:1", {
      command: { program: "/bin/sh", args: ["-c", "env | grep -c s3cret >&2; exit 7"] },
      restart: { minMs: 60_000, maxMs: 60_000, jitter: 0 },
    });
    await using _closed = backend;
    await until(() => Promise.resolve(process.deaths === 1));
    assertMatch(JSON.stringify(await ask(backend, "Seen")), /exit code 7: 0"/);
  } finally {
    Deno.env.delete("HOLDFAST_TEST_SECRET");
  }
});

Deno.test({
  name: "C01: a killed hub leaves no gRPC process behind, not even one that runs in a circle",
  ignore: !isLinux,
  async fn() {
    // What this makes of the runtime: a process that uses all of a core and hears nothing.
    await using peer = hostilePeer({ chance: new Chance(1), only: ["ping flood"] });
    const hub = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--quiet",
        new URL("../peers/one_backend.ts", import.meta.url).pathname,
        peer.url,
      ],
      stdout: "piped",
    }).spawn();
    const reader = hub.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const pid = Number((await reader.read()).value);
    assert(isAlive(pid));
    // It has had its flood by then, and hangs or is about to.
    while (peer.connections === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    hub.kill("SIGKILL");
    await hub.status;
    await reader.cancel();
    await until(() => Promise.resolve(!isAlive(pid)));
  },
});
