// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Makes the npm package of the client: a folder `dist/client`, and beside it the tarball that
 * `npm install` takes. Publishing is up to whoever runs this.
 *
 *   deno task client [--dist FOLDER]
 */
import { CLIENT_JS, CLIENT_TYPES } from "../src/page/built.ts";
import manifest from "../deno.json" with { type: "json" };

/** Longest run of `npm pack`, in milliseconds. */
const PACK_MS = 60_000;

const { version, license } = manifest;

/** The files of the package, by name. */
function filesOf(licenseText: string): Record<string, string> {
  const description = "Client of a Holdfast hub: live values with the truth about their age";
  const types = "./client.d.ts";
  const packageJson = {
    name: "@holdfast/client",
    version,
    description,
    license,
    type: "module",
    sideEffects: false,
    exports: { ".": { types, default: "./client.js" } },
    types,
    files: ["client.js", "client.d.ts"],
    engines: { node: ">=20" },
  };
  return {
    "package.json": `${JSON.stringify(packageJson, null, 2)}\n`,
    "client.js": `${CLIENT_JS}\n`,
    "client.d.ts": CLIENT_TYPES,
    "LICENSE": licenseText,
    "README.md": readme(description),
  };
}

function readme(description: string): string {
  return `# @holdfast/client

${description}. One module without dependencies, for browsers, Deno and Node 20 or later; made from
version ${version} of the hub, whose \`/client.js\` is the same module.

\`\`\`js
import { HoldfastClient } from "@holdfast/client";

const client = new HoldfastClient("https://hub.example.com");
for await (const state of client.watch("system_status")) {
  if (state.kind === "live") console.log(state.data);
  else console.log("not live:", state.why);
}
\`\`\`

Node 20 has no WebSocket of its own: give the one of \`ws\` as the option \`WebSocket\`. All else is in
the hub's \`docs/client.md\`.
`;
}

function distOf(args: readonly string[]): string {
  const [flag, folder, ...rest] = args;
  if (flag === undefined) return "dist";
  if (flag === "--dist" && folder && rest.length === 0) return folder;
  console.error("usage: deno task client [--dist FOLDER]");
  Deno.exit(2);
}

const dist = distOf(Deno.args);
const folder = `${dist}/client`;
await Deno.mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(filesOf(await Deno.readTextFile("LICENSE")))) {
  await Deno.writeTextFile(`${folder}/${name}`, text);
}
const { success, stdout, stderr } = await new Deno.Command("npm", {
  args: ["pack", "--silent", "--offline", "--ignore-scripts", "--pack-destination", ".."],
  cwd: folder,
  signal: AbortSignal.timeout(PACK_MS),
}).output();
const said = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
if (!success) {
  console.error(`client: npm pack failed: ${said(stderr)}`);
  Deno.exit(1);
}
console.log(`${folder}: ${version}; ${dist}/${said(stdout)}`);
