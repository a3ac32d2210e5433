import { npmPackages } from "../npm_packages.ts";
import { runProgram } from "../run_program.ts";
import { serverFile, simplePeer } from "./simple.ts";

const VERSION = "8.23.0";

/** Node and the `ws` package. */
export const ws = simplePeer({
  name: "ws",
  label: "Node ws",
  async prepare({ cacheFolder }) {
    const node = await runProgram(["node", "--version"]);
    const packages = await npmPackages(cacheFolder, { ws: VERSION });
    return {
      command: ["node", serverFile("ws.mjs"), packages],
      version: `ws ${VERSION}, Node ${node}`,
    };
  },
});
