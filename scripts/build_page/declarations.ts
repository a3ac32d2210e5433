// The generator takes whatever compiler is installed; named here, it is the pinned one.
import "typescript";
import { generateDtsBundle } from "dts-bundle-generator";

const OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: "esnext",
  module: "esnext",
  moduleResolution: "bundler",
  lib: ["esnext", "dom"],
  types: [],
  allowImportingTsExtensions: true,
  emitDeclarationOnly: true,
  declaration: true,
};

/** `await using` is younger than the libraries many projects name; TypeScript 5.2 knows this one. */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />';

/** The types of everything a module exports, as the text of one `.d.ts` file. */
export function declarations(entry: URL): string {
  const config = Deno.makeTempFileSync({ prefix: "holdfast-types-", suffix: ".json" });
  try {
    const file = { compilerOptions: OPTIONS, files: [entry.pathname] };
    Deno.writeTextFileSync(config, JSON.stringify(file));
    const [text = ""] = generateDtsBundle(
      [{ filePath: entry.pathname, output: { noBanner: true, exportReferencedTypes: false } }],
      { preferredConfigPath: config },
    );
    return `${DISPOSABLE}\n${text.trim()}\n`;
  } finally {
    Deno.removeSync(config);
  }
}
