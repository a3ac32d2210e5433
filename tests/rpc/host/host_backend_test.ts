import { createHostBackend } from "../../../src/rpc/host/host_backend.ts";
import type { Outcome } from "../../../src/rpc/backend.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";

const { signal } = new AbortController();

Deno.test("createHostBackend() answers its two methods and names them when asked for another", async () => {
  await using backend = createHostBackend();
  for (const method of ["GetSystemStatus", "GetStorage"]) {
    const outcome = await backend.call({ method, params: {} }, { signal });
    assertEquals(outcome.kind, "ok");
  }
  assertEquals(await backend.call({ method: "getStorage" }, { signal }), {
    kind: "rejected",
    reason: "the host backend has no such method; it has GetSystemStatus and GetStorage",
  });
});

Deno.test("createHostBackend() throws an aborted signal's reason and ends with its disposal", async () => {
  const backend = createHostBackend();
  const reason = new Error("enough");
  const aborted = { signal: AbortSignal.abort(reason) };
  assertEquals(await assertRejects(() => backend.call({ method: "GetStorage" }, aborted)), reason);
  await backend[Symbol.asyncDispose]();
  assertEquals(await backend.call({ method: "GetStorage" }, { signal }), {
    kind: "unavailable",
    reason: "the backend was closed",
  });
});

const SCRIPT = `
import { createHostBackend } from ${
  JSON.stringify(import.meta.resolve("../../../src/rpc/host/host_backend.ts"))
};
const backend = createHostBackend();
const { signal } = new AbortController();
const outcomes = [];
for (const method of ["GetSystemStatus", "GetStorage"]) {
  outcomes.push(await backend.call({ method }, { signal }));
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(outcomes)));
`;

/** Both outcomes in a process with these permissions alone. */
async function outcomesWith(...permissions: string[]): Promise<[Outcome, Outcome]> {
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--no-lock",
      "--config",
      config,
      ...permissions,
      "-",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(SCRIPT));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  assert(text !== "", new TextDecoder().decode(stderr));
  return JSON.parse(text);
}

Deno.test("createHostBackend() names the permission where it can tell nothing for want of it", async () => {
  const [system, storage] = await outcomesWith();
  assert(system.kind === "unavailable" && /^needs --allow-\w+ \(/.test(system.reason));
  assert(storage.kind === "unavailable" && storage.reason.startsWith("needs --allow-read ("));
});

Deno.test("createHostBackend() tells what --allow-sys and --allow-read let it", async () => {
  const [system, storage] = await outcomesWith("--allow-sys", "--allow-read");
  assert(system.kind === "ok" && storage.kind === "ok");
  const { memory, cpu } = JSON.parse(system.value) as {
    memory: object;
    cpu: { usage_ratio: number };
  };
  assert("total_bytes" in memory && cpu.usage_ratio >= 0);
  const { filesystems } = JSON.parse(storage.value) as { filesystems: { mount_point: string }[] };
  assertEquals(filesystems[0]?.mount_point, "/");
});
