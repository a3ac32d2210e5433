import { simplePeer } from "../../scripts/bench/peers/simple.ts";
import { Run } from "../../scripts/bench/run.ts";
import { sampleOf } from "../../scripts/bench/sample_of.ts";
import { hasProgram } from "../docs/programs.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { openKit } from "./bench/kit.ts";

const LYING_SERVER = new URL("./bench/lying_server.ts", import.meta.url).pathname;

const CLIENTS = 10;
const PER_SECOND = 100;
const MESSAGES = 20;

/** What the load client must find, for each lie that one client of ten is told once. */
const LIES: Readonly<Record<string, RegExp | undefined>> = {
  none: undefined,
  drop: /^1 messages did not reach every client, 1 numbers were passed over$/,
  repeat: /^1 numbers came again/,
  alter: /1 messages were altered/,
  renumber: /1 messages were altered/, // its filling is that of another number
  reorder: /1 numbers were passed over, 1 numbers came again or out of order/,
  cut: /1 clients lost their connection/,
};

Deno.test({
  name: "the load client finds out a peer that drops, alters, reorders or renumbers messages",
  ignore: !hasProgram("cc", "gcc libc6-dev"),
  async fn(t) {
    await using kit = await openKit();
    for (const [lie, expected] of Object.entries(LIES)) {
      await t.step(lie, async () => {
        const peer = simplePeer({
          name: lie,
          label: lie,
          prepare: () =>
            Promise.resolve({
              command: [Deno.execPath(), "run", "--allow-net", LYING_SERVER, lie],
              version: "",
            }),
        });
        await using run = await Run.start(await peer.prepare(kit), kit, { clients: CLIENTS });
        await run.connect();
        const window = await run.load.command("publish", PER_SECOND, MESSAGES);
        const { faults } = sampleOf(window);
        if (expected) assertMatch(faults.join(", "), expected);
        else assertEquals(faults, []);
      });
    }
  },
});

Deno.test({
  name: "a peer that does not let clients in, or refuses to publish, fails with what it said",
  ignore: !hasProgram("cc", "gcc libc6-dev"),
  async fn() {
    await using kit = await openKit();
    const at = (path: string) =>
      simplePeer({
        name: "wrong",
        label: "wrong",
        manners: { path: "/ws", publishPath: path },
        prepare: () =>
          Promise.resolve({
            command: [Deno.execPath(), "run", "--allow-net", REFUSING_SERVER, path],
            version: "",
          }),
      });
    for (
      const [path, expected] of [
        ["/door", /a client was not let in: HTTP\/1.1 403/],
        ["/publish", /a publication was refused: HTTP\/1.1 403/],
      ] as const
    ) {
      await using run = await Run.start(await at(path).prepare(kit), kit, { clients: 1 });
      const why = await run.connect()
        .then(() => run.load.command("publish", PER_SECOND, 1))
        .then(() => "nothing", (error) => String(error.message));
      assertMatch(why, expected);
    }
  },
});

const REFUSING_SERVER = new URL("./bench/refusing_server.ts", import.meta.url).pathname;
