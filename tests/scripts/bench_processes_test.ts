import { control } from "../../scripts/bench/peers/control.ts";
import { simplePeer } from "../../scripts/bench/peers/simple.ts";
import { residentBytes } from "../../scripts/bench/process_memory.ts";
import {
  killAll,
  type ProcessIdentity,
  processTree,
  startedAtIn,
} from "../../scripts/bench/process_tree.ts";
import { Run } from "../../scripts/bench/run.ts";
import { sampleOf } from "../../scripts/bench/sample_of.ts";
import { ServerProcess } from "../../scripts/bench/server_process.ts";
import { hasProgram } from "../docs/programs.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { PATIENCE_MS } from "../support/until.ts";
import { openKit } from "./bench/kit.ts";

/** A shell, a child that sleeps, another that starts a third. Children end with no parent. */
const FAMILY = ["sh", "-c", "sleep 60 & sh -c 'sleep 60 & echo listening 1; wait' & wait"];

const BARE = new URL("../../scripts/bench/servers/bare.ts", import.meta.url).pathname;

async function living(processes: readonly ProcessIdentity[]): Promise<number[]> {
  const found = await Promise.all(processes.map(async ({ pid, startedAt }) => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    const [state] = stat.slice(stat.lastIndexOf(")") + 2);
    return startedAtIn(stat) === startedAt && state !== "Z" ? [pid] : [];
  }));
  return found.flat();
}

/** They are killed, which takes a moment. */
async function assertAllEnd(processes: readonly ProcessIdentity[]): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  while ((await living(processes)).length > 0) {
    assert(performance.now() < giveUp, `they live on: ${await living(processes)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("startedAtIn() reads past a program's name, whatever it holds", () => {
  const rest = Array.from({ length: 19 }, (_, at) => at).join(" ");
  assertEquals(startedAtIn(`17 (a) b (c) ${rest} 4711 5 6`), "4711");
  assertEquals(startedAtIn(""), undefined);
});

Deno.test("a server's processes are found, weighed together, and end with it", async () => {
  let tree: ProcessIdentity[];
  {
    await using server = await ServerProcess.start(FAMILY);
    tree = await processTree(server.pid);
    assertEquals(tree.length, 4);
    assertEquals(tree[0]?.pid, server.pid);
    const shell = await Deno.readTextFile(`/proc/${server.pid}/smaps_rollup`);
    const own = Number(/^Rss:\s+(\d+)/m.exec(shell)?.[1]) * 1024;
    assert(await residentBytes(server.pid) > own, "children have memory too");
  }
  await assertAllEnd(tree);
});

Deno.test("a server that was killed leaves nobody behind", async () => {
  let tree: ProcessIdentity[];
  {
    await using server = await ServerProcess.start(FAMILY);
    tree = await processTree(server.pid);
    Deno.kill(server.pid, "SIGKILL");
    await server.ended();
    assertEquals(await processTree(server.pid), []);
    await assertRejects(() => residentBytes(server.pid), Error, "there is no process");
  }
  await assertAllEnd(tree);
});

Deno.test("killAll() spares a process that only has the number of another", async () => {
  await using server = await ServerProcess.start(FAMILY);
  await killAll([{ pid: server.pid, startedAt: "1" }]);
  assertEquals((await living(await processTree(server.pid))).length, 4);
});

Deno.test({
  name: "the load client tells the time of a server's descendants",
  ignore: !hasProgram("cc", "gcc libc6-dev"),
  async fn() {
    await using kit = await openKit();
    const command = ["sh", "-c", `'${Deno.execPath()}' run --allow-net '${BARE}' & wait`];
    // The shell itself takes no time at all: it waits.
    const peer = simplePeer({
      name: "child",
      label: "child",
      prepare: () => Promise.resolve({ command, version: "" }),
    });
    for (const [each, processes] of [[peer, 2], [control, 1]] as const) {
      await using run = await Run.start(await each.prepare(kit), kit, { clients: 10 });
      assertEquals((await processTree(run.server.pid)).length, processes);
      await run.connect();
      const { figures, faults } = sampleOf(await run.load.command("publish", 100, 20));
      assertEquals(faults, []);
      assert((figures.cpuPerDeliveryUs ?? 0) > 0, `${each.name}: it took processor time`);
    }
  },
});
