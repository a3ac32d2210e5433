import { npmPackages } from "../npm_packages.ts";
import { runProgram } from "../run_program.ts";
import { serverFile, simplePeer } from "./simple.ts";

const VERSION = "4.8.4";

/** Node and Socket.IO. */
export const socketIo = simplePeer({
  name: "socket_io",
  label: "Socket.IO",
  manners: { dialect: "socket.io", path: "/socket.io/?EIO=4&transport=websocket" },
  async prepare({ cacheFolder }) {
    const node = await runProgram(["node", "--version"]);
    const packages = await npmPackages(cacheFolder, { "socket.io": VERSION });
    return {
      command: ["node", serverFile("socket_io.mjs"), packages],
      version: `socket.io ${VERSION}, Node ${node}`,
    };
  },
});
