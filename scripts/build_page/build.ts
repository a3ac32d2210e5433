import { createHash } from "node:crypto";
// Named so that they are installed; the bundle takes their files.
import "d3-path";
import "d3-shape";
import * as esbuild from "esbuild";
import { declarations } from "./declarations.ts";

/** Largest page, in bytes, with everything it needs. */
const MAX_PAGE_BYTES = 140_000;

/** What the page takes from npm. */
const PACKAGES = ["d3-path", "d3-shape"];

const ROOT = new URL("../../", import.meta.url);

/** What browsers of the last years know; private fields stay as they are. */
const TARGET = "es2022";

export interface Built {
  /** The text of `src/page/built.ts`. */
  readonly module: string;
  readonly pageBytes: number;
  readonly clientBytes: number;
}

/**
 * Builds the page, the client's module and its types.
 *
 * @throws {RangeError} If the page has become too large.
 */
export async function buildPage(): Promise<Built> {
  const [template, style, script, client] = await Promise.all([
    Deno.readTextFile(new URL("src/page/index.html", ROOT)),
    bundleStyle(),
    bundleScript("src/page/main.ts", { minify: true }),
    bundleScript("src/client/mod.ts", { minify: false }),
  ]);
  // Functions, as a text to put in may hold what a pattern of replacement looks like.
  const html = template.trim().replaceAll(/>\s*\n\s*</g, "><")
    .replace("<style></style>", () => `<style>${style}</style>`)
    .replace("<script></script>", () => `<script type="module">${script}</script>`);
  const pageBytes = new TextEncoder().encode(html).length;
  if (pageBytes > MAX_PAGE_BYTES) {
    throw new RangeError(
      `Cannot build the page as it may have ${MAX_PAGE_BYTES} bytes: it has ${pageBytes}`,
    );
  }
  const types = declarations(new URL("src/client/mod.ts", ROOT));
  const module = moduleOf({
    PAGE_HTML: [html, "The page, complete."],
    PAGE_SCRIPT_HASH: [hashOf(script), "Its script's hash, as a source of a content policy."],
    PAGE_STYLE_HASH: [hashOf(style), "Its style's hash."],
    CLIENT_JS: [client, "The client library as one ES module."],
    CLIENT_TYPES: [types, "The library's types."],
  });
  return { module, pageBytes, clientBytes: client.length };
}

async function bundleScript(entry: string, options: { minify: boolean }): Promise<string> {
  return await bundle({
    entryPoints: [new URL(entry, ROOT).pathname],
    format: "esm",
    ...options,
  });
}

async function bundleStyle(): Promise<string> {
  return await bundle({
    entryPoints: [new URL("src/page/style.css", ROOT).pathname],
    minify: true,
  });
}

async function bundle(options: esbuild.BuildOptions): Promise<string> {
  const { outputFiles } = await esbuild.build({
    ...options,
    bundle: true,
    write: false,
    target: TARGET,
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
    // The build must not depend on where the tree lies, nor on a configuration found above it.
    absWorkingDir: ROOT.pathname.replace(/\/$/, ""),
    tsconfigRaw: {},
    alias: Object.fromEntries(PACKAGES.map((name) => [name, fileOf(name)])),
  });
  return outputFiles?.[0]?.text.trim() ?? "";
}

/** Where a package was installed. */
function fileOf(name: string): string {
  return new URL(import.meta.resolve(name)).pathname;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function moduleOf(constants: Record<string, readonly [text: string, what: string]>): string {
  const lines = Object.entries(constants).map(([name, [text, what]]) =>
    `/** ${what} */\nexport const ${name}: string = ${literal(text)};\n`
  );
  return [
    "// deno-fmt-ignore-file\n// deno-lint-ignore-file\n",
    "/** Made by `deno task page` from the sources beside it and the client; do not edit. */\n",
    ...lines,
  ].join("\n");
}

/** A text over several lines, one a line, so that a change of one shows as that. */
function literal(text: string): string {
  const lines = text.split("\n");
  if (lines.length === 1) return JSON.stringify(text);
  return `[\n${lines.map((line) => `  ${JSON.stringify(line)},\n`).join("")}].join("\\n")`;
}
