import { npmPackages } from "../npm_packages.ts";
import { runProgram } from "../run_program.ts";
import { serverFile, simplePeer } from "./simple.ts";

const VERSION = "1.4.5";

/** Bun and its native publish. */
export const bun = simplePeer({
  name: "bun",
  label: "Bun publish",
  async prepare({ cacheFolder }) {
    const packages = await npmPackages(cacheFolder, { bun: VERSION });
    const program = `${packages}/node_modules/.bin/bun`;
    const version = await runProgram([program, "--version"]);
    return { command: [program, serverFile("bun.mjs")], version: `Bun ${version}` };
  },
});
