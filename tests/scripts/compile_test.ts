import { parse } from "jsonc-parser";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStringIncludes,
} from "../support/assert.ts";
import { readCommit, writeBuildFiles } from "../../scripts/compile/build_files.ts";
import { recordChecksums } from "../../scripts/compile/checksums.ts";
import { BuildError, exec } from "../../scripts/compile/exec.ts";
import { reducedLock } from "../../scripts/compile/lock_file.ts";
import { PERMISSIONS } from "../../scripts/compile/permissions.ts";
import { packageOf, reachablePackages } from "../../scripts/compile/reachable.ts";
import { Folder } from "./folder.ts";
import { outputName, runsHere, TARGETS } from "../../scripts/compile/targets.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SCRIPT = `${ROOT}scripts/compile.ts`;

/** Runs the script as the task does, with its results in a folder of the test's. */
async function compile(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", SCRIPT, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", DENORT_BIN: "", HOLDFAST_COMMIT: "0123456789abcdef", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Links to the packages in `from`, without what the registry said of them: that grows old. */
async function linkPackages(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (!isDirectory) continue;
    const isPackage = /^\d/.test(name); // its version
    if (isPackage) await Deno.symlink(`${from}/${name}`, `${to}/${name}`);
    else await linkPackages(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test("C42: compile tells two ways out where denort cannot be downloaded, and asks no registry for packages that are here", async () => {
  await using folder = await Folder.make();
  const { stdout } = await exec(Deno.execPath(), ["info", "--json"]);
  const { denoDir } = JSON.parse(stdout);
  // The packages that are here already, but no runtime, and no way to the outside.
  await Deno.mkdir(`${folder.path}/cache`);
  await linkPackages(`${denoDir}/npm`, `${folder.path}/cache/npm`);
  using closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const proxy = `http://127.0.0.1:${closed.addr.port}`;
  const refusing = (async () => {
    for await (const connection of closed) connection.close();
  })();
  const { code, stderr } = await compile(["--dist", `${folder.path}/dist`], {
    DENO_DIR: `${folder.path}/cache`,
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    NO_PROXY: "",
    no_proxy: "",
  });
  closed.close();
  await refusing;
  assertEquals(code, 1, stderr);
  const zip = `release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  assertStringIncludes(stderr, "cannot download denort");
  assertStringIncludes(stderr, "DENORT_BIN=FILE");
  assertStringIncludes(stderr, `https://dl.deno.land/${zip}`);
  assertStringIncludes(stderr, `${folder.path}/cache/dl/${zip}`);
  assertNotMatch(stderr, /^\s+at |Stack|\.ts:\d+/m);
  assertEquals(await Array.fromAsync(Deno.readDir(`${folder.path}/dist`)), []);
});

Deno.test("compile removes an executable that does not start, and says why", async () => {
  await using folder = await Folder.make();
  const { code, stderr } = await compile(["--dist", folder.path], { DENORT_BIN: "/usr/bin/true" });
  assertEquals(code, 1, stderr);
  assertStringIncludes(stderr, `DENORT_BIN must name a denort of Deno ${Deno.version.deno}`);
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

Deno.test("compile says what is wrong with its input, without a stack", async () => {
  for (
    const [args, env, code, message] of [
      [["--target", "amiga"], {}, 2, `--target must be one of ${TARGETS.join(", ")} or all`],
      [["--frob"], {}, 2, `what is "--frob"?`],
      [["--target=all"], { DENORT_BIN: "/usr/bin/true" }, 2, "name one --target"],
      [[], { DENORT_BIN: "/no/such/denort" }, 1, "there is no file /no/such/denort"],
      [[], { HOLDFAST_COMMIT: "main" }, 1, `7 to 40 hexadecimal digits: it is "main"`],
    ] as const
  ) {
    const ended = await compile(args, env);
    assertEquals(ended.code, code, ended.stderr);
    assertStringIncludes(ended.stderr, message);
    assertNotMatch(ended.stderr, /^\s+at |\.ts:\d+/m);
  }
});

Deno.test("the program tells the commit when it is compiled, and its version alone from a checkout", async () => {
  await using folder = await Folder.make();
  const manifest = parse(await Deno.readTextFile(`${ROOT}deno.json`)) as {
    version: string;
    imports: Record<string, string>;
  };
  const directory = `${folder.path}/build`;
  const commit = "0123456789ab";
  const packages = new Set(
    Object.values(manifest.imports).flatMap((each) => packageOf(each) ?? []),
  );
  await using files = await writeBuildFiles(manifest, { directory, commit, packages });
  const version = async (...args: string[]) => {
    const { stdout, stderr } = await exec(Deno.execPath(), [
      ...["run", "--no-prompt", "--no-check", "--allow-env", "--allow-read", ...args],
      ...[`${ROOT}main.ts`, "version"],
    ]);
    return stdout.trim() || stderr;
  };
  assertEquals(files.version, `${manifest.version}+0123456789ab`);
  assertEquals(await version(`--config=${files.config}`, `--lock=${files.lock}`), files.version);
  assertEquals(await version(), manifest.version);
});

Deno.test("an executable is compiled with the packages it imports, and no others", async () => {
  const packages = [...await reachablePackages(`${ROOT}main.ts`)].map((each) => packageName(each));
  assert(packages.includes("zod") && packages.includes("jose"), packages.join(" "));
  assert(!packages.includes("fast-check") && !packages.includes("ws"), packages.join(" "));
  await using folder = await Folder.make();
  const imports = {
    zod: "npm:zod@4.6.7",
    "@std/yaml": "npm:deno-std@1.4.0/yaml/parse.js",
    "fast-check": "npm:fast-check@4.10.2",
    "@grpc/grpc-js": "npm:@grpc/grpc-js@1.14.7",
  };
  await using files = await writeBuildFiles({ version: "1.2.3", imports }, {
    directory: `${folder.path}/build`,
    commit: undefined,
    packages: new Set(["zod@4.6.7", "deno-std@1.4.0"]),
  });
  assertEquals(files.version, "1.2.3");
  const config = JSON.parse(await Deno.readTextFile(files.config));
  const kept = Object.keys(config.imports).filter((name) => !name.endsWith("deno.json"));
  assertEquals(kept, ["zod", "@std/yaml"]);
});

Deno.test("reducedLock() keeps what packages need, down to the last, and nothing else", () => {
  const lock = {
    specifiers: { "npm:@a/top@1.0.0": "1.0.0_peer@2.0.0", "npm:other@3.0.0": "3.0.0" },
    npm: {
      "@a/top@1.0.0_peer@2.0.0": { dependencies: ["below", "peer@2.0.0"] },
      "below@1.1.0": { optionalDependencies: ["not-for-this-machine"] },
      "peer@2.0.0": {},
      "peer@9.0.0": {},
      "other@3.0.0": {},
    },
    workspace: { dependencies: ["npm:@a/top@1.0.0", "npm:other@3.0.0"] },
  };
  const reduced = reducedLock(lock, ["@a/top@1.0.0"]);
  assertEquals(Object.keys(reduced.npm), ["@a/top@1.0.0_peer@2.0.0", "below@1.1.0", "peer@2.0.0"]);
  assertEquals(reduced.specifiers, { "npm:@a/top@1.0.0": "1.0.0_peer@2.0.0" });
  assertEquals(reduced.workspace.dependencies, ["npm:@a/top@1.0.0"]);
});

function packageName(name: string): string {
  return name.replace(/(?<=.)@.*$/, "");
}

Deno.test("readCommit() takes a commit that is given, else asks git", async () => {
  assertEquals(await readCommit("0123456789abcdef0123456789abcdef01234567"), "0123456789ab");
  await assertRejects(() => readCommit("HEAD"), BuildError, `it is "HEAD"`);
  assertMatch(await readCommit(undefined) ?? "000000000000", /^[0-9a-f]{12}(\.modified)?$/);
});

Deno.test("outputName() is reproducible for a target, and plain for this machine", () => {
  assertEquals(
    outputName("aarch64-unknown-linux-gnu", "1.2.3"),
    "holdfast-1.2.3-aarch64-unknown-linux-gnu",
  );
  assertEquals(
    outputName("x86_64-pc-windows-msvc", "1.2.3"),
    "holdfast-1.2.3-x86_64-pc-windows-msvc.exe",
  );
  assertMatch(outputName(undefined, "1.2.3"), /^holdfast(\.exe)?$/);
  assertEquals([undefined, ...TARGETS].filter(runsHere).length, 2);
});

Deno.test("recordChecksums() writes what sha256sum checks, and keeps other files' lines", async () => {
  await using folder = await Folder.make();
  const { path } = folder;
  for (const name of ["b", "a", "gone"]) await Deno.writeTextFile(`${path}/${name}`, name);
  await recordChecksums(path, ["gone", "b"]);
  await Deno.remove(`${path}/gone`);
  const sums = await recordChecksums(path, ["a"]);
  assertEquals([...sums.keys()], ["a"]);
  const text = await Deno.readTextFile(`${path}/SHA256SUMS`);
  assertEquals(text.trim().split("\n").map((line) => line.slice(64)), ["  a", "  b"]);
  const check = () =>
    new Deno.Command("sha256sum", {
      args: ["--check", "--strict", "SHA256SUMS"],
      cwd: path,
      stdout: "null",
      stderr: "null",
    }).output();
  assert((await check()).success);
  await Deno.writeTextFile(`${path}/a`, "changed");
  assertEquals((await check()).success, false);
});

Deno.test("the executable may do all that the tasks of a checkout may, and none unnamed", async () => {
  const { tasks } = parse(await Deno.readTextFile(`${ROOT}deno.json`)) as {
    tasks: Record<string, { command: string }>;
  };
  const granted = grants(PERMISSIONS);
  for (const task of ["start", "demo"]) {
    const words = (tasks[task]?.command ?? "").split(" ");
    for (const [name, values] of grants(words)) {
      const ours = granted.get(name);
      assert(ours, `"${task}" has ${name}`);
      assert(ours.size === 0 || values.size > 0 && values.isSubsetOf(ours), `${task}: ${name}`);
    }
  }
  assert(!granted.has("--allow-all") && (granted.get("--allow-ffi")?.size ?? 0) > 0);
});

/** Permission flags and what each is limited to; nothing is no limit. */
function grants(words: readonly string[]): Map<string, Set<string>> {
  const flags = words.filter((word) => word.startsWith("--allow-"));
  return new Map(flags.map((flag) => {
    const [name = "", values] = flag.split("=");
    return [name, new Set(values?.split(","))];
  }));
}

const EXECUTABLE = Deno.env.get("HOLDFAST_TEST_EXECUTABLE");

Deno.test({
  name: "the executable tells its version with the commit, and its checksum is listed",
  ignore: !EXECUTABLE,
  async fn() {
    const path = new URL(EXECUTABLE ?? "", new URL("../../", import.meta.url)).pathname;
    for (const args of [["version"], ["--version"]]) {
      const { code, stdout } = await exec(path, args);
      assertEquals(code, 0);
      assertMatch(stdout, /^\d+\.\d+\.\d+\+[0-9a-f]{12}(\.modified)?\n$/);
    }
    const { success } = await new Deno.Command("sha256sum", {
      args: ["--check", "--strict", "--ignore-missing", "SHA256SUMS"],
      cwd: new URL(".", `file://${path}`).pathname,
      stdout: "null",
    }).output();
    assert(success);
  },
});
