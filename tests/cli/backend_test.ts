import { createJsonRpcBackend } from "../../src/rpc/http/json_rpc.ts";
import { bytesOf, eventually, gunzip, TestFolder } from "../demo/support.ts";
import { Program } from "../demo/program.ts";
import { assert, assertEquals, assertMatch, assertNotMatch } from "../support/assert.ts";

const LISTEN = ["--listen", "127.0.0.1:0"];
const URL_LINE = /demo backend: (http:\S+\/rpc)\n/;

async function call(url: string, method: string, params: object = {}): Promise<unknown> {
  await using client = createJsonRpcBackend({ url, maxResponseBytes: 1_000_000 });
  const outcome = await client.call({ method, params }, { signal: AbortSignal.timeout(10_000) });
  return outcome.kind === "ok" ? JSON.parse(outcome.value) : outcome.reason;
}

Deno.test("backend compresses its spool and stops with 0 on SIGTERM", async () => {
  await using folder = await TestFolder.make();
  const content = bytesOf(500_000);
  await Deno.writeFile(folder.at("a file ü"), content);
  await using program = new Program(["backend", ...LISTEN, "--spool", folder.path]);
  const url = await program.waitFor(URL_LINE);
  await eventually(async () => (await folder.names("done")).includes("a file ü.gz") || undefined);
  assertEquals(await gunzip(folder.at("done", "a file ü.gz")), new Uint8Array(content));
  const system = await call(url, "GetSystemStatus") as { cpu: { count: number } };
  assert(system.cpu.count >= 1);
  const storage = await call(url, "GetStorage") as { filesystems: unknown[] };
  assert(storage.filesystems.length >= 1);
  assertMatch(String(await call(url, "SetFault", { mode: "hang" })), /--faults/);
  program.signal("SIGTERM");
  assertEquals(await program.ended(), 0);
});

Deno.test("backend rolls the job in hand back on SIGTERM", async () => {
  await using folder = await TestFolder.make();
  const content = bytesOf(2_000_000);
  await Deno.writeFile(folder.at("big"), content);
  const args = ["backend", ...LISTEN, "--spool", folder.path, "--pace", "100000"];
  await using program = new Program(args);
  await program.waitFor(URL_LINE);
  await eventually(async () => (await folder.names("done")).length > 0 || undefined);
  program.signal("SIGTERM");
  assertEquals(await program.ended(), 0);
  assertEquals([await folder.names(), await folder.names("done")], [["big", "done"], []]);
  assertEquals(await Deno.readFile(folder.at("big")), content);
});

Deno.test("backend without a spool works in a temporary one and removes it", async () => {
  await using program = new Program(["backend", ...LISTEN, "--faults"]);
  const url = await program.waitFor(URL_LINE);
  const spool = await program.waitFor(/spool: (\S+) \(temporary/);
  assertEquals((await Deno.stat(spool)).isDirectory, true);
  assertEquals(await call(url, "GetFault"), { faults: [] });
  program.signal("SIGINT");
  assertEquals(await program.ended(), 0);
  assertEquals(await Deno.stat(spool).then(() => true, () => false), false);
});

Deno.test("backend --stop-on-eof stops when its input ends", async () => {
  await using program = new Program(["backend", ...LISTEN, "--stop-on-eof"]);
  await program.waitFor(URL_LINE);
  await program.hangUp();
  assertEquals(await program.ended(), 0);
});

Deno.test("backend refuses bad flags with 2, all at once", async () => {
  const flags = ["--listen", "9090", "--agents", "0", "--pace", "fast", "--log-level", "loud"];
  await using program = new Program(["backend", ...flags]);
  assertEquals(await program.ended(), 2);
  for (const flag of ["--listen", "--agents", "--pace", "--log-level"]) {
    assertMatch(program.text, new RegExp(`^holdfast: ${flag}: found .+; expected .+$`, "m"));
  }
  assertNotMatch(program.text, /^\s+at /m);
});

Deno.test("backend on a taken port or a taken spool ends with 1 and says so", async () => {
  await using folder = await TestFolder.make();
  await using first = new Program(["backend", ...LISTEN, "--spool", folder.path]);
  const url = new URL(await first.waitFor(URL_LINE));
  await using second = new Program(["backend", "--listen", url.host]);
  assertEquals(await second.ended(), 1);
  assertMatch(second.text, /^holdfast: cannot listen on 127\.0\.0\.1:\d+: .*already/m);
  await using third = new Program(["backend", ...LISTEN, "--spool", folder.path]);
  assertEquals(await third.ended(), 1);
  assertMatch(third.text, /^holdfast: .*another process works on the spool/m);
});
