import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { loadConfigFile } from "../../src/config/load.ts";
import { Folder } from "./folder.ts";

const SCRIPTS = new URL("../../scripts/", import.meta.url);

/** Not the superuser, who may write anywhere: `nobody`, where the tests run as root. */
const UNPRIVILEGED = Deno.uid() === 0
  ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
  : [];

/** An executable as far as the installer uses one: it has a version, and an opinion of a file. */
const hub = (version: string, { accepts = true } = {}) =>
  `#!/bin/sh
case "$*" in
  version) echo "${version}" ;;
  "config check "*) echo "\${CORE_TOKEN-no token}: $3"; exit ${accepts ? 0 : 2} ;;
  *) exit 1 ;;
esac
`;

/** A systemctl that writes down how it is called; `restart` fails while the file `broken` exists. */
const SYSTEMCTL = `#!/bin/sh
dir=$(dirname "$0")
echo "$*" >>"$dir/calls"
case "$1" in
  is-active) [ -e "$dir/active" ] ;;
  restart) if [ -e "$dir/broken" ]; then rm "$dir/broken"; exit 1; fi ;;
esac
`;

/** A machine's file system in a folder, with a release to install from. */
class Machine implements AsyncDisposable {
  readonly #folder: Folder;
  /** Stands for `/`. */
  readonly root: string;
  readonly #release: string;
  readonly #systemd: string;

  private constructor(folder: Folder) {
    this.#folder = folder;
    this.root = `${folder.path}/root`;
    this.#release = `${folder.path}/release`;
    this.#systemd = `${folder.path}/systemd`;
  }

  static async make(): Promise<Machine> {
    const machine = new Machine(await Folder.make());
    for (const path of [machine.root, machine.#release, machine.#systemd]) {
      await Deno.mkdir(path);
      if (Deno.uid() === 0) await Deno.chown(path, 65534, 65534);
    }
    await Deno.chmod(machine.#folder.path, 0o755);
    for (const name of ["install.sh", "holdfast.service"]) {
      await Deno.copyFile(new URL(name, SCRIPTS), `${machine.#release}/${name}`);
    }
    await machine.release(hub("1.0.0"));
    await machine.#program(`${machine.#systemd}/systemctl`, SYSTEMCTL);
    return machine;
  }

  /** Puts another executable into the release. */
  async release(program: string): Promise<void> {
    await this.#program(`${this.#release}/holdfast`, program);
  }

  async write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.#folder.path}/${path}`, text);
  }

  read(path: string): Promise<string> {
    return Deno.readTextFile(`${this.root}${path}`);
  }

  /** What systemctl was called with since the last time. */
  async calls(): Promise<string[]> {
    const file = `${this.#systemd}/calls`;
    const text = await Deno.readTextFile(file).catch(() => "");
    await Deno.writeTextFile(file, "");
    await Deno.chmod(file, 0o666);
    return text.trim().split("\n").filter((call) => !/^(is-active.*)?$/.test(call));
  }

  /** Runs the installer; `systemd`: with a systemctl. */
  async install(
    args: readonly string[] = [],
    { systemd = false, destdir = true, superuser = false } = {},
  ): Promise<{ code: number; out: string; err: string }> {
    const [program = "sh", ...before] = [
      ...(superuser ? [] : UNPRIVILEGED),
      "sh",
      `${this.#release}/install.sh`,
    ];
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...before, ...args],
      cwd: "/",
      clearEnv: true,
      env: {
        PATH: "/usr/bin:/bin",
        ...(destdir ? { DESTDIR: this.root } : {}),
        ...(systemd ? { SYSTEMCTL: `${this.#systemd}/systemctl` } : {}),
      },
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Every file below the root, with its mode. */
  async files(folder = ""): Promise<string[]> {
    const found: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(`${this.root}${folder}`)) {
      const path = `${folder}/${name}`;
      const { mode } = await Deno.stat(`${this.root}${path}`);
      if (isDirectory) found.push(...await this.files(path));
      else found.push(`${path} ${((mode ?? 0) & 0o777).toString(8)}`);
    }
    return found.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }

  async #program(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, 0o755);
  }
}

const INSTALLED = [
  "/etc/holdfast/holdfast.jsonc 644",
  "/etc/systemd/system/holdfast.service 644",
  "/usr/local/bin/holdfast 755",
];

Deno.test("install.sh installs executable, unit and a configuration that is in order", async () => {
  await using machine = await Machine.make();
  const { code, out, err } = await machine.install();
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "Holdfast 1.0.0 is in place");
  assertEquals(await machine.files(), INSTALLED);
  const { mode } = await Deno.stat(`${machine.root}/etc/holdfast/credentials`);
  assertEquals((mode ?? 0) & 0o777, 0o700);
  const loaded = await loadConfigFile(`${machine.root}/etc/holdfast/holdfast.jsonc`, { env: {} });
  assert(loaded.ok && loaded.config.sources.length === 2);
  assertEquals(
    await machine.read("/etc/systemd/system/holdfast.service"),
    await Deno.readTextFile(new URL("holdfast.service", SCRIPTS)),
  );
});

Deno.test("install.sh changes nothing the second time, nor an operator's configuration", async () => {
  await using machine = await Machine.make();
  await machine.install();
  await machine.write("root/etc/holdfast/holdfast.jsonc", "// mine");
  await machine.write("root/etc/holdfast/credentials/CORE_TOKEN", "secret\n");
  const inode = async () =>
    (await Deno.stat(`${machine.root}/etc/systemd/system/holdfast.service`)).ino;
  const before = await inode();
  const { code, out } = await machine.install();
  assertEquals(code, 0);
  assertNotMatch(out, /installed|restarting/);
  await machine.release(hub("1.1.0"));
  assertEquals((await machine.install()).code, 0);
  assertEquals(await machine.read("/usr/local/bin/holdfast"), hub("1.1.0"));
  assertEquals(await machine.read("/etc/holdfast/holdfast.jsonc"), "// mine");
  assertEquals(await machine.read("/etc/holdfast/credentials/CORE_TOKEN"), "secret\n");
  assertEquals(await inode(), before);
});

Deno.test("install.sh --prefix leads the unit to where things lie", async () => {
  await using machine = await Machine.make();
  const prefix = `${machine.root}/home/ops`;
  const { code, out, err } = await machine.install(["--prefix", prefix], { destdir: false });
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, `systemctl link ${prefix}/etc/systemd/system/holdfast.service`);
  const unit = await machine.read("/home/ops/etc/systemd/system/holdfast.service");
  assertMatch(
    unit,
    new RegExp(`^ExecStart=${prefix}/bin/holdfast serve --config ${prefix}/etc/holdfast/`, "m"),
  );
  assertMatch(unit, new RegExp(`^LoadCredential=holdfast:${prefix}/etc/holdfast/cred`, "m"));
  assertNotMatch(unit, /^(ExecStart|LoadCredential)=.*[ :]\/(usr|etc)/m);
  const opt = await machine.install(["--prefix=/opt/holdfast/"]);
  assertEquals(opt.code, 0);
  assertMatch(
    await machine.read("/etc/systemd/system/holdfast.service"),
    /^ExecStart=\/opt\/holdfast\/bin\/holdfast serve --config \/etc\/holdfast\/holdfast\.jsonc$/m,
  );
});

Deno.test("install.sh --uninstall takes away all but the configuration, --purge that too", async () => {
  await using machine = await Machine.make();
  await machine.install();
  await machine.release(hub("1.1.0"));
  await machine.install();
  const { code, out } = await machine.install(["--uninstall"], { systemd: true });
  assertEquals(code, 0);
  assertStringIncludes(out, "kept");
  assertEquals(await machine.files(), ["/etc/holdfast/holdfast.jsonc 644"]);
  assertEquals(await machine.calls(), ["disable --now holdfast.service", "daemon-reload"]);
  await Deno.mkdir(`${machine.root}/var/lib/private/holdfast`, { recursive: true });
  await Deno.symlink("private/holdfast", `${machine.root}/var/lib/holdfast`);
  await Deno.writeTextFile(`${machine.root}/var/lib/holdfast/holdfast.db`, "");
  const purge = ["--uninstall", "--purge"];
  assertEquals((await machine.install(purge, { superuser: true })).code, 0);
  assertEquals((await machine.install(["--uninstall"])).code, 0);
  assertEquals(await machine.files(), []);
});

Deno.test("install.sh restarts a running hub for an upgrade, and only then", async () => {
  await using machine = await Machine.make();
  const first = await machine.install([], { systemd: true });
  assertStringIncludes(first.out, "systemctl enable --now holdfast");
  assertEquals(await machine.calls(), ["daemon-reload"]);
  await machine.write("systemd/active", "");
  await machine.install([], { systemd: true });
  assertEquals(await machine.calls(), ["daemon-reload"]);
  await machine.release(hub("1.1.0"));
  const { code, out } = await machine.install([], { systemd: true });
  assertEquals(code, 0);
  assertStringIncludes(out, "Holdfast 1.1.0 runs.");
  assertEquals(await machine.calls(), ["daemon-reload", "restart holdfast.service"]);
});

Deno.test("install.sh leaves all as it is if the new hub refuses the configuration", async () => {
  await using machine = await Machine.make();
  await machine.install();
  await machine.write("root/etc/holdfast/credentials/CORE_TOKEN", "the-token\n");
  if (Deno.uid() === 0) {
    await Deno.chown(`${machine.root}/etc/holdfast/credentials/CORE_TOKEN`, 65534, 65534);
  }
  await machine.write("systemd/active", "");
  await machine.release(hub("2.0.0", { accepts: false }));
  const { code, err } = await machine.install([], { systemd: true });
  assertEquals(code, 1);
  assertStringIncludes(err, "2.0.0 does not accept the configuration; nothing was changed");
  // It was asked with the credentials in place.
  assertStringIncludes(err, `the-token: ${machine.root}/etc/holdfast/holdfast.jsonc`);
  assertEquals(await machine.read("/usr/local/bin/holdfast"), hub("1.0.0"));
  assertEquals(await machine.calls(), []);
  assertEquals((await machine.install(["--skip-check"])).code, 0);
  assertEquals(await machine.read("/usr/local/bin/holdfast"), hub("2.0.0", { accepts: false }));
});

Deno.test("install.sh puts the old hub back if the new one does not start", async () => {
  await using machine = await Machine.make();
  await machine.install();
  await machine.write("systemd/active", "");
  await machine.write("systemd/broken", "");
  await machine.release(hub("2.0.0"));
  const { code, err } = await machine.install([], { systemd: true });
  assertEquals(code, 1);
  assertStringIncludes(err, "2.0.0 did not start, so the one before is back");
  assertEquals(await machine.read("/usr/local/bin/holdfast"), hub("1.0.0"));
  assertEquals(await machine.calls(), [
    "daemon-reload",
    "restart holdfast.service",
    "restart holdfast.service",
  ]);
});

Deno.test("install.sh refuses a file whose checksum differs", async () => {
  await using machine = await Machine.make();
  await machine.write("release/SHA256SUMS", `${"0".repeat(64)}  holdfast\n`);
  const { code, err } = await machine.install();
  assertEquals(code, 1);
  assertMatch(err, /^install\.sh: .*its checksum differs\n$/);
  assertEquals(await machine.files(), []);
});

Deno.test("install.sh says in a sentence what is wrong", async () => {
  await using machine = await Machine.make();
  for (
    const [args, options, code, message] of [
      [["--frob"], {}, 2, `what is "--frob"?`],
      [["--prefix"], {}, 2, "--prefix needs a value"],
      [["--purge"], {}, 2, "--purge goes with --uninstall"],
      [["--prefix", "relative"], {}, 1, "must be an absolute path"],
      [["--prefix", "/a b"], {}, 1, "may only have letters"],
      [["--from", "/no/such/file"], {}, 1, "there is no file /no/such/file"],
      [["--from", "/bin/false"], {}, 1, "does not run on this machine"],
      [["--prefix", "/proc/holdfast"], { destdir: false }, 1, "run this as root, or with --prefix"],
    ] as const
  ) {
    const ended = await machine.install(args, options);
    assertEquals(ended.code, code, `${args}: ${ended.err}`);
    assertStringIncludes(ended.err, message);
    assertMatch(ended.err, /^install\.sh: /);
  }
  const help = await machine.install(["--help"]);
  assertEquals([help.code, help.err], [0, ""]);
  assertStringIncludes(help.out, "--uninstall");
});
