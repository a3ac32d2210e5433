import { loadConfigFile } from "../../src/config/load.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { hasProgram } from "../docs/programs.ts";
import { Folder } from "./folder.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1", LC_ALL: "C" },
  }).output();
  const decoder = new TextDecoder();
  assert(
    success,
    `${program} ${args.join(" ")}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`,
  );
  return decoder.decode(stdout);
}

/** A machine's file system as dpkg needs it; nothing of it is really run. */
async function machineIn(path: string): Promise<(...args: string[]) => Promise<string>> {
  const root = `${path}/root`;
  for (const folder of ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc", "usr/bin"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  await Deno.writeTextFile(`${root}/var/lib/dpkg/status`, "");
  await Deno.writeTextFile(`${root}/var/lib/dpkg/available`, "");
  await Deno.writeTextFile(`${root}/etc/passwd`, "root:x:0:0:root:/root:/bin/sh\n");
  await Deno.writeTextFile(`${root}/etc/group`, "root:x:0:\n");
  // No other package is in there, so that what it depends on cannot be.
  const flags = [`--root=${root}`, "--force-script-chrootless", "--force-depends"];
  return (...args) => run("dpkg", ...flags, ...args);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

Deno.test({
  name: "the Debian package installs, keeps a changed configuration, is removed and purged",
  ignore: Deno.uid() !== 0 || !hasProgram("dpkg-deb", "dpkg") ||
    !hasProgram("systemd-sysusers", "systemd"),
  fn: async () => {
    await using folder = await Folder.make();
    const { path } = folder;
    await Deno.writeTextFile(`${path}/holdfast`, "#!/bin/sh\necho 1.2.3\n", { mode: 0o755 });
    const built = await run(
      ...[Deno.execPath(), "run", "--no-prompt", "-A", "scripts/deb.ts"] as const,
      ...["--from", `${path}/holdfast`, "--dist", path],
    );
    const deb = built.trim();
    const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
    assertEquals((await run("dpkg-deb", "--field", deb, "Version")).trim(), version);
    const dpkg = await machineIn(path);
    const root = `${path}/root`;
    await dpkg("--install", deb);
    assertStringIncludes(await dpkg("--status", "holdfast"), "Status: install ok installed");

    const unit = await Deno.readTextFile(`${root}/usr/lib/systemd/system/holdfast.service`);
    assertStringIncludes(unit, "ExecStart=/usr/bin/holdfast serve");
    assertStringIncludes(unit, "User=holdfast\n");
    const config = `${root}/etc/holdfast/holdfast.jsonc`;
    assertEquals((await loadConfigFile(config, { env: {} })).ok, true);
    const [, uid] = /^holdfast:[^:]*:(\d+):/m.exec(await Deno.readTextFile(`${root}/etc/passwd`)) ??
      [];
    const state = await Deno.stat(`${root}/var/lib/holdfast`);
    assertEquals([String(state.uid), (state.mode ?? 0) & 0o777], [uid, 0o700]);
    const credentials = await Deno.stat(`${root}/etc/holdfast/credentials`);
    assertEquals([credentials.uid, (credentials.mode ?? 0) & 0o777], [0, 0o700]);
    for (const name of ["man/man1/holdfast.1", "bash-completion/completions/holdfast"]) {
      assert(await exists(`${root}/usr/share/${name}`), name);
    }

    await Deno.writeTextFile(config, `{ "listen": "127.0.0.1:9999" }\n`);
    await Deno.writeTextFile(`${root}/var/lib/holdfast/state.db`, "kept");
    await dpkg("--install", deb);
    assertStringIncludes(await Deno.readTextFile(config), "9999");
    await dpkg("--remove", "holdfast");
    assertEquals(await exists(`${root}/usr/bin/holdfast`), false);
    assertEquals(await exists(config), true);
    assertEquals(await exists(`${root}/var/lib/holdfast/state.db`), true);
    await dpkg("--purge", "holdfast");
    for (const gone of ["etc/holdfast", "var/lib/holdfast"]) {
      assertEquals(await exists(`${root}/${gone}`), false, gone);
    }
  },
});
