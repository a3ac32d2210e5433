// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Makes a package for Debian and its like of an executable that `deno task compile` has made:
 * `dist/holdfast_VERSION_ARCHITECTURE.deb`, with unit, user, configuration, manual and completions.
 *
 *   deno task deb [--from FILE] [--dist FOLDER]
 */
import { dirname } from "node:path";
import manifest from "../deno.json" with { type: "json" };
import { exec } from "./compile/exec.ts";
import { manualFiles } from "./manual/write.ts";

const { version } = manifest;
const DEBIAN = new URL("../packaging/debian/", import.meta.url);
const SCRIPTS = ["postinst", "prerm", "postrm"] as const;
/** As dpkg calls the architectures that Deno compiles for on Linux. */
const ARCHITECTURES = { x86_64: "amd64", aarch64: "arm64" } as const;

const read = (name: string) => Deno.readTextFile(new URL(name, DEBIAN));

/** The unit of `install.sh` for where a package has its files, and with the package's user. */
async function unitText(): Promise<string> {
  const text = await Deno.readTextFile(new URL("holdfast.service", import.meta.url));
  const changes = [
    ["/usr/local/bin/holdfast", "/usr/bin/holdfast"],
    [
      "# A user that exists only while the hub runs.\nDynamicUser=yes",
      "User=holdfast\nGroup=holdfast",
    ],
  ] as const;
  return changes.reduce((unit, [from, to]) => {
    if (!unit.includes(from)) throw new Error(`holdfast.service has no ${from} any more`);
    return unit.replace(from, to);
  }, text);
}

function control(kib: number): string {
  return `Package: holdfast
Version: ${version}
Architecture: ${ARCHITECTURES[Deno.build.arch as keyof typeof ARCHITECTURES]}
Maintainer: Holdfast <holdfast@localhost>
Installed-Size: ${kib}
Depends: libc6 (>= 2.35), systemd
Section: net
Priority: optional
Description: hub that polls backends and tells every client the truth
 Polls backends once through a breaker and a cache and fans their values out to
 many WebSocket clients, each with its age and whether it still holds.
`;
}

/** Everything in the package but the executable: path, text, and mode where it is not 644. */
async function files(): Promise<[path: string, text: string, mode?: number][]> {
  const share = Object.entries(manualFiles(version))
    .map(([name, text]): [string, string] => [`usr/share/${name}`, text]);
  return [
    ["usr/lib/systemd/system/holdfast.service", await unitText()],
    ["usr/lib/sysusers.d/holdfast.conf", await read("sysusers.conf")],
    ["etc/holdfast/holdfast.jsonc", await read("holdfast.jsonc")],
    [
      "usr/share/doc/holdfast/copyright",
      await Deno.readTextFile(new URL("../LICENSE", import.meta.url)),
    ],
    ...share,
  ];
}

async function build(from: string, dist: string): Promise<string> {
  const stage = await Deno.makeTempDir({ prefix: "holdfast-deb-" });
  try {
    await put(`${stage}/usr/bin/holdfast`, await Deno.readFile(from), 0o755);
    for (const [path, text, mode = 0o644] of await files()) {
      await put(`${stage}/${path}`, new TextEncoder().encode(text), mode);
    }
    await Deno.mkdir(`${stage}/etc/holdfast/credentials`, { mode: 0o700 });
    const kib = Math.ceil((await Deno.stat(from)).size / 1024) + 64;
    await put(`${stage}/DEBIAN/control`, new TextEncoder().encode(control(kib)), 0o644);
    const conffiles = new TextEncoder().encode("/etc/holdfast/holdfast.jsonc\n");
    await put(`${stage}/DEBIAN/conffiles`, conffiles, 0o644);
    for (const name of SCRIPTS) {
      await put(`${stage}/DEBIAN/${name}`, new TextEncoder().encode(await read(name)), 0o755);
    }
    await Deno.chmod(stage, 0o755);
    const arch = ARCHITECTURES[Deno.build.arch as keyof typeof ARCHITECTURES];
    const output = `${dist}/holdfast_${version}_${arch}.deb`;
    await Deno.mkdir(dist, { recursive: true });
    const args = ["--root-owner-group", "-Zxz", "--build", stage, output];
    const { code, stderr } = await exec("dpkg-deb", args, { timeoutMs: 300_000 });
    if (code !== 0) throw new Error(`dpkg-deb failed: ${stderr.trim()}`);
    return output;
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

async function put(path: string, content: Uint8Array, mode: number): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await Deno.writeFile(path, content);
  await Deno.chmod(path, mode);
}

function readArgs(args: readonly string[]): { from: string; dist: string } {
  const wish = { from: "dist/holdfast", dist: "dist" };
  for (let at = 0; at < args.length; at += 2) {
    const [flag, value] = [args[at], args[at + 1]];
    if (flag === "--from" && value) wish.from = value;
    else if (flag === "--dist" && value) wish.dist = value;
    else {
      console.error("usage: deno task deb [--from FILE] [--dist FOLDER]");
      Deno.exit(2);
    }
  }
  return wish;
}

const { from, dist } = readArgs(Deno.args);
try {
  console.log(await build(from, dist));
} catch (error) {
  const missing = error instanceof Deno.errors.NotFound;
  const why = error instanceof Error ? error.message : String(error);
  console.error(
    `deb: ${missing ? `there is no ${from}, or no dpkg-deb: run deno task compile first` : why}`,
  );
  Deno.exit(1);
}
