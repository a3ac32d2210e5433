import { isRunning, Program } from "../demo/program.ts";
import { eventually } from "../demo/support.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type Heard, WsClient } from "../support/ws_client.ts";

const CHANNELS = ["system_status", "storage_update", "agent_status", "compression_update"];

/** A running demo, and what it says of itself. */
async function start(env: Record<string, string> = {}) {
  const program = new Program(["demo", "--listen", "127.0.0.1:0"], env);
  try {
    await program.waitFor(/Ctrl-C/);
    return {
      program,
      url: await program.waitFor(/hub +(http:\S+)\//),
      spool: await program.waitFor(/spool +(\S+)/),
      backendPid: Number(await program.waitFor(/kill -9 (\d+)/)),
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

function isFresh(channel: string): (frame: Heard) => boolean {
  return ({ type, data }) => type === channel && data.is_stale === false;
}

Deno.test("demo shows all four channels, an outage and the way back, and leaves nothing", async () => {
  await using demo = await start();
  const { program, url, spool, backendPid } = demo;
  await using client = await WsClient.connect(`${url.replace("http", "ws")}/ws`);
  for (const channel of CHANNELS) await client.waitFor(isFresh(channel), { timeoutMs: 30_000 });
  const ratios = new Set<number>();
  await client.waitFor(({ type, data }) => {
    if (type !== "compression_update") return false;
    for (const job of data.data.jobs) {
      if (job.state === "compressing" && job.progress_ratio > 0) ratios.add(job.progress_ratio);
    }
    return ratios.size >= 2;
  }, { timeoutMs: 30_000 });

  Deno.kill(backendPid, "SIGKILL");
  await program.waitFor(/The backend was killed by SIGKILL\. Bring it back/);
  await client.waitForCode("CIRCUIT_OPEN");
  const from = client.frames.length;
  const stale = await client.waitFor(({ data }) => data.is_stale === true, { from });
  assertEquals(stale.data.error.code, "RPC_UNAVAILABLE");
  assertEquals(client.codes.includes("RPC_RECOVERED"), false, "not by itself");

  await program.type("r\n");
  const pid = Number(await program.waitFor(/The backend is back, as process (\d+)/));
  await client.waitForCode("RPC_RECOVERED", { timeoutMs: 30_000 });
  const later = client.frames.length;
  for (const channel of CHANNELS) {
    await client.waitFor(isFresh(channel), { from: later, timeoutMs: 30_000 });
  }

  program.signal("SIGTERM");
  await client.waitForCode("SERVER_SHUTDOWN");
  assertEquals(await program.ended(), 0);
  assertEquals([isRunning(backendPid), isRunning(pid), await isThere(spool)], [
    false,
    false,
    false,
  ]);
});

Deno.test("demo brings its backend back on SIGUSR2, and stops on SIGINT", async () => {
  await using demo = await start();
  const { program, spool } = demo;
  await program.type("k\n");
  await program.waitFor(/The backend was killed/);
  program.signal("SIGUSR2");
  const pid = Number(await program.waitFor(/The backend is back, as process (\d+)/));
  assert(isRunning(pid));
  program.signal("SIGINT");
  assertEquals(await program.ended(), 0);
  assertEquals([isRunning(pid), await isThere(spool)], [false, false]);
});

Deno.test("demo takes its backend with it even when it is killed", async () => {
  await using demo = await start();
  const { program, spool, backendPid } = demo;
  assert(isRunning(backendPid));
  program.signal("SIGKILL");
  await program.ended();
  await eventually(() => isRunning(backendPid) ? undefined : true);
  await Deno.remove(spool, { recursive: true }); // nobody was left to do it
});

Deno.test("demo on a taken port ends with 1, and leaves nothing", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const tmp = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  const args = ["demo", "--listen", `127.0.0.1:${taken.addr.port}`];
  await using program = new Program(args, { TMPDIR: tmp });
  assertEquals(await program.ended(), 1);
  assertMatch(program.text, /^holdfast: cannot listen on 127\.0\.0\.1:\d+: .*already/m);
  await Deno.remove(tmp); // which fails unless it is empty
});

Deno.test("demo with a bad setting ends with 2 and names it", async () => {
  await using program = new Program(["demo", "--listen", "8787"], { HOLDFAST_LOG_LEVEL: "loud" });
  assertEquals(await program.ended(), 2);
  assertMatch(program.text, /^holdfast: --listen: found "8787"; expected HOST:PORT/m);
  assertMatch(program.text, /^holdfast: HOLDFAST_LOG_LEVEL: found "loud"/m);
});
