import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { HookServer } from "../incidents/hooks/support.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { say } from "../support/seed.ts";
import { WsClient } from "../support/ws_client.ts";
import { openState, put, StateDir } from "./support.ts";

/** A file system of two megabytes; undefined where mounting is not allowed. */
async function smallDisk(): Promise<{ path: string } & AsyncDisposable | undefined> {
  const path = await Deno.makeTempDir({ prefix: "holdfast-disk-" });
  const run = async (...args: [string, ...string[]]) => {
    const [program, ...rest] = args;
    try {
      return (await new Deno.Command(program, { args: rest, stderr: "null" }).output()).success;
    } catch {
      return false;
    }
  };
  if (!await run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", path)) {
    await Deno.remove(path);
    return undefined;
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

const TOKEN = "a-token-that-may-publish";

Deno.test("a hub whose disk is full serves on, says so, and keeps everything again when there is room", async () => {
  await using disk = await smallDisk();
  if (disk === undefined) {
    say("left out: mounting is not allowed here");
    return;
  }
  await using backend = new RpcBackend();
  await using hook = new HookServer();
  const config = {
    state: { dir: `${disk.path}/state` },
    auth: { tokens: [{ name: "test", token: TOKEN, publish: true, metrics: true }] },
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("queue", "core")],
    hooks: [{ name: "ops", url: hook.url, on: ["up"] }],
    shutdown: { drain: "50ms", reconnect_within: "0s" },
  };
  const headers = { authorization: `Bearer ${TOKEN}` };
  const app = await startApp(config);
  const publish = async (n: number): Promise<number> => {
    const body = JSON.stringify({ channel: "notification", data: { n } });
    const response = await fetch(`${app.url}/publish`, { method: "POST", headers, body });
    assertEquals(response.status, 202);
    return (await response.json()).seq;
  };
  const client = await WsClient.connect(`${wsUrl(app)}?token=${TOKEN}`);
  const { session = "", epoch = "" } = client.frames[0]?.data ?? {};
  await publish(1);
  const ballast = `${disk.path}/ballast`;
  await fill(ballast);
  let n = 1;
  const isOk = () => app.statusReport().state?.ok;
  while (isOk()) await publish(++n);
  const { why } = app.statusReport().state ?? {};
  assert(/space|full/i.test(why ?? ""), why);
  const metrics = await (await fetch(`${app.url}/metrics`, { headers })).text();
  assert(metrics.includes("\nholdfast_state_ok 0\n"));
  const full = await publish(++n);
  await client.waitFor((frame) => frame.seq === full); // it serves on
  await Deno.remove(ballast);
  await eventually("it keeps everything again", () => isOk() === true);
  const last = await publish(++n);
  await client.waitFor((frame) => frame.seq === last);
  const since = Math.max(...client.frames.map(({ seq = 0 }) => seq));
  await client[Symbol.asyncDispose]();
  const missed = await publish(++n);
  await app[Symbol.asyncDispose]();

  await using after = await startApp(config);
  const query = new URLSearchParams({ token: TOKEN, session, epoch, since: String(since) });
  await using again = await WsClient.connect(`${wsUrl(after)}?${query}`);
  const welcome = again.frames[0]?.data;
  assertEquals([welcome?.epoch, welcome?.recovered], [epoch, true]);
  const frame = await again.waitFor(({ type }) => type === "notification");
  assertEquals([frame.seq, frame.data.n], [missed, n]);
});

Deno.test("a store that could not be read as the disk was full is put aside, and not lost", async () => {
  await using disk = await smallDisk();
  if (disk === undefined) {
    say("left out: mounting is not allowed here");
    return;
  }
  const dir = new StateDir(`${disk.path}/state`);
  {
    await using state = await openState(dir.path);
    state.write([put("incident", "of-last-night", { n: 1 })]);
  }
  const ballast = `${disk.path}/ballast`;
  await fill(ballast);
  await using state = await openState(dir.path);
  assertEquals(state.isKeeping, false);
  state.dumpFrom(() => [put("incident", "of-today", { n: 2 })]);
  await Deno.remove(ballast);
  await eventually("it keeps everything again", () => state.isKeeping);
  const [aside = ""] = dir.files().filter((name) => /\.aside-[^-]*Z$/.test(name));
  const database = new DatabaseSync(`${dir.path}/${aside}`);
  const rows = database.prepare("SELECT key FROM entries WHERE kind = 'incident'").all();
  database.close();
  assertEquals(rows.map(({ key }) => key), ["of-last-night"]);
});

/** Writes until nothing fits any more. */
async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  for (const size of [65_536, 4096, 512, 1]) {
    try {
      for (;;) await file.write(new Uint8Array(size));
    } catch {
      // full, for pieces of this size
    }
  }
}
