import { configuration, pushpin } from "../../scripts/bench/peers/pushpin.ts";
import { simplePeer } from "../../scripts/bench/peers/simple.ts";
import { processTree } from "../../scripts/bench/process_tree.ts";
import { Run } from "../../scripts/bench/run.ts";
import { runProgram } from "../../scripts/bench/run_program.ts";
import { sampleOf } from "../../scripts/bench/sample_of.ts";
import { hasProgram } from "../docs/programs.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { openKit } from "./bench/kit.ts";

const PARSING_SERVER = new URL("./bench/parsing_server.ts", import.meta.url).pathname;
const PEER = new URL("../../scripts/bench/peers/pushpin.ts", import.meta.url).href;

const HAS_CC = hasProgram("cc", "gcc libc6-dev");

/** Not `hasProgram`: build machines need not have it. */
const HAS_PUSHPIN = await runProgram(["pushpin", "--version"]).then(() => true, () => false);

const PORTS = { clients: 40001, publish: 40002, origin: 40003 };

Deno.test("configuration() of pushpin has ports and sockets of its own, and no limits", () => {
  const text = configuration("/tmp/one", PORTS);
  const values = new Map(text.split("\n").map((line) => line.split("=", 2) as [string, string]));
  assertEquals(values.get("http_port"), "127.0.0.1:40001");
  assertEquals(values.get("push_in_http_port"), "40002");
  // Where pushpin's own default is a fixed port, or a socket that the system's pushpin has.
  for (
    const key of [
      ...["push_in_spec", "push_in_sub_specs", "command_spec"],
      ...["zurl_out_specs", "zurl_out_stream_specs", "zurl_in_specs"],
    ]
  ) {
    assertMatch(values.get(key) ?? "", /^ipc:\/\/\/tmp\/one\/run\/bench-/, key);
  }
  assertEquals(values.get("rundir"), "/tmp/one/run");
  assertMatch(values.get("services") ?? "", /\bzurl\b/);
  // Defaults of 2,500 a second and 25,000: less than 5,000 clients are sent.
  for (const key of ["message_rate", "message_hwm"]) {
    assert(Number(values.get(key)) >= 10_000_000, key);
  }
  assert(Number(values.get("client_buffer_size")) > 8192, "messages are dropped with the default");
  assert(Number(values.get("client_maxconn")) >= 10_000, "the largest workload");
});

Deno.test("pushpin is absent, with the reason, where it is not installed", async () => {
  const program = `const { pushpin } = await import(${JSON.stringify(PEER)});
    await pushpin.prepare({}).catch((error) => console.log(error.message));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    env: { PATH: "/nowhere" },
  }).output();
  assertStringIncludes(new TextDecoder().decode(stdout), "on Debian: pushpin");
});

Deno.test({
  name: "messages go out inside a JSON string, over a connection each if the server closes",
  ignore: !HAS_CC,
  async fn() {
    await using kit = await openKit();
    const peer = simplePeer({
      name: "parsing",
      label: "parsing",
      manners: {
        connecting: 1,
        publishPrefix: '{"content":"',
        publishInString: true,
        publishSuffix: '"}',
      },
      prepare: () =>
        Promise.resolve({
          command: [Deno.execPath(), "run", "--allow-net", PARSING_SERVER],
          version: "",
        }),
    });
    await using run = await Run.start(await peer.prepare(kit), kit, { clients: 3 });
    await run.connect();
    const window = await run.load.command("publish", 100, 20);
    assertEquals([window.deliveries, sampleOf(window).faults], [60, []]);
    assertEquals(window.bytes, 60 * 1024); // as long as they would be without the string
  },
});

Deno.test({
  name: "pushpin brings every message to every client, and ends with all its processes",
  ignore: !HAS_CC || !HAS_PUSHPIN,
  async fn() {
    await using kit = await openKit();
    const peer = await pushpin.prepare(kit);
    assertMatch(peer.version, /^pushpin \d+\.\d+.*, condure \d/);
    let processes: number[];
    {
      await using run = await Run.start(peer, kit, { clients: 50 });
      processes = (await processTree(run.server.pid)).map(({ pid }) => pid);
      // The origin, the runner, condure, zurl, the proxy and the handler.
      assertEquals(processes.length, 6);
      await run.connect();
      const window = await run.load.command("publish", 100, 30);
      assertEquals([window.deliveries, sampleOf(window).faults], [50 * 30, []]);
    }
    const left = await Promise.all(processes.map((pid) => processTree(pid)));
    assertEquals(left.flat(), []);
  },
});
