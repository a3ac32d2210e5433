import { assert, assertEquals, assertGreater, assertMatch } from "../support/assert.ts";
import { DEFAULT_CONFIG } from "../../src/config/default.ts";
import { loadConfigFile } from "../../src/config/load.ts";
import { hasProgram } from "../service/support.ts";
import { Folder } from "./folder.ts";

const UNIT = new URL("../../scripts/holdfast.service", import.meta.url);

/** The most that `systemd-analyze security` may find exposed, in tenths. */
const MOST_EXPOSED = 20;

/** Without systemd's own tools (Debian: `apt-get install systemd`) these tests are left out. */
const ignore = !hasProgram("systemd-analyze");

async function analyze(args: readonly string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", {
    args: ["--no-pager", ...args],
    env: { SYSTEMD_COLORS: "0" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: `${decoder.decode(stdout)}${decoder.decode(stderr)}` };
}

/** The values of a setting, in order. */
async function settings(name: string): Promise<string[]> {
  const lines = (await Deno.readTextFile(UNIT)).split("\n");
  return lines.filter((line) => line.startsWith(`${name}=`)).map((line) =>
    line.slice(name.length + 1)
  );
}

Deno.test({
  name: "systemd-analyze verify has nothing to say about the unit",
  ignore,
  async fn() {
    await using folder = await Folder.make();
    const text = await Deno.readTextFile(UNIT);
    const unit = `${folder.path}/holdfast.service`;
    // It looks whether the executable is there.
    await Deno.writeTextFile(unit, text.replace("/usr/local/bin/holdfast", "/bin/true"));
    assertEquals(await analyze(["verify", "--man=no", "--recursive-errors=no", unit]), {
      code: 0,
      text: "",
    });
    await Deno.writeTextFile(unit, text.replace("WatchdogSec=30", "WatchdogSec=soon"));
    assertMatch((await analyze(["verify", "--man=no", unit])).text, /:\d+: Failed to parse .*soon/);
  },
});

Deno.test({
  name:
    "a template for several hubs, as documented, is in order and gives each a folder of its own",
  ignore,
  async fn() {
    await using folder = await Folder.make();
    const text = await Deno.readTextFile(UNIT);
    const unit = `${folder.path}/holdfast@1.service`;
    await Deno.writeTextFile(unit, text.replace("/usr/local/bin/holdfast", "/bin/true"));
    const pages = await Deno.readTextFile(new URL("../../docs/cluster.md", import.meta.url));
    const [, edit = ""] = /```ini\n(\[Service\]\n[^`]*StateDirectory[^`]*)```/.exec(pages) ?? [];
    assertMatch(edit, /^StateDirectory=\nStateDirectory=holdfast-%i$/m);
    assertMatch(edit, /^User=\w+$/m);
    await Deno.mkdir(`${unit}.d`);
    await Deno.writeTextFile(`${unit}.d/override.conf`, edit);
    const verified = await analyze(["verify", "--man=no", "--recursive-errors=no", unit]);
    assertEquals(verified, { code: 0, text: "" });
  },
});

Deno.test({
  name: "systemd-analyze security finds the unit at most 2.0 exposed",
  ignore,
  async fn() {
    const { code, text } = await analyze([
      "security",
      "--offline=true",
      `--threshold=${MOST_EXPOSED}`,
      UNIT.pathname,
    ]);
    assertEquals(code, 0, text);
    const [, exposed] = /exposure level for holdfast\.service: ([\d.]+)/.exec(text) ?? [];
    assert(Number(exposed) <= MOST_EXPOSED / 10, text);
  },
});

Deno.test("the unit lets the hub tell, reload, drain and be restarted", async () => {
  assertEquals(await settings("Type"), ["notify"]);
  assertEquals(await settings("Restart"), ["on-failure"]);
  assertEquals(await settings("ExecReload"), ["/bin/kill -HUP $MAINPID"]);
  assertEquals(await settings("DynamicUser"), ["yes"]);
  // The hub takes the folder from $STATE_DIRECTORY.
  assertEquals(await settings("StateDirectory"), ["holdfast"]);
  assertEquals(await settings("LoadCredential"), ["holdfast:/etc/holdfast/credentials"]);
  assertGreater(Number((await settings("WatchdogSec"))[0]), 0);
  // The engine writes machine code at run time: with this it does not even start.
  assertEquals(await settings("MemoryDenyWriteExecute"), []);
});

Deno.test("the unit gives the hub time for its drain", async () => {
  await using folder = await Folder.make();
  const file = `${folder.path}/holdfast.json`;
  await Deno.writeTextFile(file, JSON.stringify(DEFAULT_CONFIG));
  const loaded = await loadConfigFile(file, { env: {} });
  assert(loaded.ok);
  const stopMs = 1000 * Number((await settings("TimeoutStopSec"))[0]);
  assertGreater(stopMs, loaded.config.shutdown.drain + 2000);
});
