import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { hasProgram } from "../docs/programs.ts";
import { ScriptedHub } from "../support/scripted_hub.ts";
import { Folder } from "./folder.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NODE_OPTIONS: "", NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert(success, `${program} ${args[0]}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

Deno.test({
  name: "the client's package installs into a fresh project without a network, and runs on Node",
  ignore: !hasProgram("npm", "npm") || !hasProgram("node", "nodejs"),
  fn: async () => {
    await using folder = await Folder.make();
    const { path } = folder;
    const script = `${ROOT}scripts/client_package.ts`;
    await run(Deno.execPath(), ["run", "--no-prompt", "-A", script, "--dist", path], ROOT);
    const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
    const tarball = `holdfast-client-${version}.tgz`;
    const project = `${path}/project`;
    await Deno.mkdir(project);
    await Deno.writeTextFile(`${project}/package.json`, `{ "private": true, "type": "module" }`);
    const install = ["install", `../${tarball}`, "--offline", "--no-audit", "--no-fund"];
    await run("npm", [...install, "--cache", `${path}/npm`], project);
    const installed = `${project}/node_modules/@holdfast/client`;
    const names = (await Array.fromAsync(Deno.readDir(installed))).map(({ name }) => name).sort();
    assertEquals(names, ["LICENSE", "README.md", "client.d.ts", "client.js", "package.json"]);
    // What a user of Node 20 would install beside it.
    const ws = new URL(".", import.meta.resolve("ws")).pathname.replace(/\/$/, "");
    await Deno.symlink(ws, `${project}/node_modules/ws`);

    await using hub = new ScriptedHub({
      script: (connection) => {
        connection.welcome();
        connection.status("system_status", { hostname: "box" }, 1);
      },
    });
    await Deno.writeTextFile(
      `${project}/main.js`,
      `import WebSocket from "ws";
       import { HoldfastClient } from "@holdfast/client";
       const client = new HoldfastClient("${hub.url}", { WebSocket });
       for await (const state of client.watch("system_status")) {
         if (state.kind === "live") { console.log(state.data.hostname); break; }
       }
       await client.close();`,
    );
    assertMatch(await run("node", ["main.js"], project), /^box\n$/);
  },
});
