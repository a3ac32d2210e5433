import type { Kit, Manners, Peer, RunningPeer } from "../peer.ts";
import { ServerProcess } from "../server_process.ts";

/** Where clients connect and messages are posted, if nothing else is said. */
const MANNERS: Manners = { dialect: "plain", path: "/", publishPath: "/" };

export interface SimplePeer {
  readonly name: string;
  readonly label: string;
  readonly manners?: Partial<Manners>;
  /** Finds or installs what is needed; tells the command and the version. */
  readonly prepare: (kit: Kit) => Promise<{ command: readonly string[]; version: string }>;
}

/** A peer that is one process, prints `listening PORT`, and sends each POST's body to everybody. */
export function simplePeer({ name, label, manners = {}, prepare }: SimplePeer): Peer {
  return {
    name,
    label,
    async prepare(kit) {
      const { command, version } = await prepare(kit);
      return {
        name,
        label,
        version,
        polls: false,
        manners: () => ({ ...MANNERS, ...manners }),
        start: ({ greetings }): Promise<RunningPeer> =>
          ServerProcess.start(kit.cores.server([
            ...command,
            ...(greetings === undefined ? [] : [String(greetings)]),
          ])),
      };
    },
  };
}

/** The path of a program in `servers/`. */
export function serverFile(name: string): string {
  return new URL(`../servers/${name}`, import.meta.url).pathname;
}
