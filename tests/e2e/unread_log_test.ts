import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { command } from "../support/command_line.ts";
import { ConfigFile } from "../support/config_file.ts";
import { freePort } from "../support/free_port.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { Scrape } from "../support/scrape.ts";
import { UnreadOutput } from "../support/unread_output.ts";
import { WsClient } from "../support/ws_client.ts";

/** Asks until it answers. */
async function answers(url: string, init?: () => RequestInit): Promise<Response> {
  const patience = AbortSignal.timeout(30_000);
  for (;;) {
    try {
      return await fetch(url, { signal: patience, ...init?.() });
    } catch (error) {
      if (patience.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function isUp(url: string): Promise<void> {
  await (await answers(url)).body?.cancel();
}

/** More lines about one client than may wait: a debug line for each channel that is not there. */
async function makeTalk(client: WsClient): Promise<void> {
  const channels = Array.from({ length: 9 }, (_, at) => `${"x".repeat(60)}${at}`);
  for (let round = 0; round < 320; round++) {
    const from = client.frames.length;
    for (let nth = 0; nth < 20; nth++) client.send({ type: "subscribe", channels });
    client.send({ type: "ping", id: round });
    await client.waitFor(({ type, data }) => type === "pong" && data.id === round, { from });
  }
}

Deno.test("C04: serve goes on while nobody reads its log, says what was left out, and stops", async () => {
  await using backend = new RpcBackend();
  const port = freePort();
  using file = new ConfigFile({
    listen: `127.0.0.1:${port}`,
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core")],
    hub: { heartbeat_every: "500ms", messages_per_second: 100_000 },
    log: { level: "debug" },
  });
  await using hub = new UnreadOutput(command("serve", ...file.args));
  await isUp(`http://127.0.0.1:${port}/healthz`);
  await using client = await WsClient.connect(`ws://127.0.0.1:${port}/ws`);
  await makeTalk(client);
  for (let beats = 0, from = 0; beats < 3; beats++, from = client.frames.length) {
    await client.waitFor(({ type }) => type === "heartbeat", { from });
  }
  const scrape = await Scrape.of({ url: `http://127.0.0.1:${port}` });
  const leftOut = scrape.get("holdfast_log_lines_left_out_total") ?? 0;
  assert(leftOut > 0, "all was kept");

  const reading = hub.read();
  for (let from = client.frames.length, beats = 0; beats < 2; beats++) {
    await client.waitFor(({ type }) => type === "heartbeat", { from });
    from = client.frames.length;
  }
  assertEquals(await hub.stop(), 0);
  const lines = (await reading).trimEnd().split("\n").map((line) => JSON.parse(line));
  const told = lines.filter(({ event }) => event === "log.lines_left_out");
  assertEquals(told.length >= 1, true);
  assertEquals(told[0].level, "error");
  assert(told.reduce((sum, { lines }) => sum + lines, 0) >= leftOut);
  assertEquals(lines.at(-1).event, "server.stopped");
});

Deno.test("C04: SIGTERM works while nobody reads the log", async () => {
  const port = freePort();
  await using hub = new UnreadOutput(command("serve", "--listen", `127.0.0.1:${port}`));
  await isUp(`http://127.0.0.1:${port}/healthz`);
  assertEquals(await hub.stop(), 0);
});

Deno.test("C04: demo goes on while nobody reads what it says", async () => {
  const port = freePort();
  const line = command("demo", "--listen", `127.0.0.1:${port}`, "--log-level", "debug");
  // The task of `serve` may not write; the demo's may, and may run the backend.
  allowWhatDemoMay(line);
  await using hub = new UnreadOutput(line);
  await isUp(`http://127.0.0.1:${port}/healthz`);
  await using client = await WsClient.connect(`ws://127.0.0.1:${port}/ws`);
  for (let from = 0, values = 0; values < 3; values++, from = client.frames.length) {
    await client.waitFor(({ type }) => type === "system_status", { from });
  }
  assertEquals(await hub.stop(), 0);
});

Deno.test("C04: backend goes on while nobody reads what it says", async () => {
  const port = freePort();
  const line = command("backend", "--listen", `127.0.0.1:${port}`, "--log-level", "debug");
  allowWhatDemoMay(line);
  await using hub = new UnreadOutput(line);
  const request = () => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "GetSystemStatus", params: {} }),
  });
  const answer = await answers(`http://127.0.0.1:${port}/rpc`, request);
  assertMatch(await answer.text(), /"result"/);
  assertEquals(await hub.stop(), 0);
});

/** Allows what `deno task demo` may and `deno task start` may not; nothing for an executable. */
function allowWhatDemoMay(line: string[]): void {
  const run = line.findIndex((each) => each.startsWith("--allow-run"));
  if (run !== -1) line[run] = "--allow-run"; // of the same program, by its own path
}
