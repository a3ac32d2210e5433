import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { freePort } from "../support/free_port.ts";
import { runHoldfast } from "../support/command_line.ts";
import { HubProcess, type HubProcessOptions } from "../support/hub_process.ts";
import { WsClient } from "../support/ws_client.ts";
import { StateDir } from "../state/support.ts";

const TOKEN = "a-token-that-may-publish";

function start(dir: StateDir, options: HubProcessOptions = {}): Promise<HubProcess> {
  return HubProcess.start({
    state: { dir: dir.path },
    auth: { tokens: [{ name: "test", token: TOKEN, publish: true }] },
  }, options);
}

/** A client that got an event, and where it stands. */
async function positionOn(hub: HubProcess): Promise<Record<string, string>> {
  await using client = await WsClient.connect(hub.ws({ token: TOKEN }));
  const { session, epoch } = client.frames[0]?.data ?? {};
  const body = JSON.stringify({ channel: "notification", data: { n: 1 } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`${hub.url}/publish`, { method: "POST", headers, body });
  const { seq } = await response.json();
  await client.waitFor((frame) => frame.seq === seq);
  return { token: TOKEN, session, epoch, since: String(seq) };
}

async function status(hub: HubProcess) {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return await (await fetch(`${hub.url}/status`, { headers })).json();
}

Deno.test("a second hub on the same folder exits with 2 and names the first one's process", async () => {
  await using dir = await StateDir.make();
  await using hub = await start(dir);
  const pid = Number(await Deno.readTextFile(`${dir.path}/lock`));
  const args = ["serve", "--listen", `127.0.0.1:${freePort()}`, "--state", dir.path];
  const { code, stderr } = await runHoldfast(args);
  assertEquals(code, 2);
  assertStringIncludes(stderr, `in use by process ${pid};`);
  assertEquals(await hub.stop("SIGKILL"), 137);
  await using again = await start(dir); // what is left of one that was killed holds nobody up
  assertEquals((await status(again)).state.ok, true);
});

Deno.test("a hub with a state gives up writing, and keeps it all the same", async () => {
  await using dir = await StateDir.make();
  await using hub = await start(dir, { args: ["--log-level", "debug"] });
  const given = hub.logs.filter(({ event }) => event === "permission.given_up");
  assert(given.some(({ permission }) => permission === "write"), JSON.stringify(given));
  const position = await positionOn(hub);
  assertEquals((await status(hub)).state.ok, true);
  await hub.stop("SIGKILL");
  await using after = await start(dir);
  await using client = await WsClient.connect(after.ws(position));
  const welcome = client.frames[0]?.data;
  assertEquals([welcome?.epoch, welcome?.recovered], [position["epoch"], true]);
});

Deno.test("after a loss of power a new epoch begins, and who comes back is told of a gap", async () => {
  await using dir = await StateDir.make();
  await using hub = await start(dir);
  const position = await positionOn(hub);
  await hub.stop("SIGKILL");
  await using copy = await dir.copy((name) => name.endsWith("-wal"));
  await using after = await start(copy);
  await using client = await WsClient.connect(after.ws(position));
  const welcome = client.frames[0]?.data;
  assert(welcome?.epoch !== position["epoch"]);
  assertEquals([welcome?.recovered, welcome?.gap], [false, true]);
  assertEquals((await after.waitForLog("state.broken")).level, "warning");
});

Deno.test("a damaged store is put aside, and said", async () => {
  await using dir = await StateDir.make();
  await using hub = await start(dir);
  const position = await positionOn(hub);
  assertEquals(await hub.stop(), 0);
  await Deno.writeTextFile(`${dir.path}/holdfast.db`, "not what it was".repeat(1000));
  await using after = await start(dir);
  const { now } = await after.waitForLog("state.put_aside");
  assert(dir.files().includes(String(now)));
  const { state } = await status(after);
  assertEquals(state.ok, true);
  assertStringIncludes(state.why, String(now));
  await using client = await WsClient.connect(after.ws(position));
  assertEquals(client.frames[0]?.data.gap, true);
});
