import { assert, assertEquals } from "../support/assert.ts";
import { command, spawn } from "../support/command_line.ts";
import { ConfigFile } from "../support/config_file.ts";
import { NotifySocket } from "../service/notify_socket.ts";
import { within } from "../support/until.ts";

/** Reads the log of a process until its end, and shows each event as it comes. */
async function follow(child: Deno.ChildProcess, onEvent: (event: string) => void) {
  let rest = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) onEvent(JSON.parse(line).event);
  }
}

Deno.test("C12: SIGHUP right after config.loaded is a reload after the start, and none after SIGTERM", async () => {
  using file = new ConfigFile({ hub: { heartbeat_every: "50ms" } });
  await using manager = await NotifySocket.bind(`@holdfast-${crypto.randomUUID()}`);
  const args = [...file.args, "--listen", "127.0.0.1:0"];
  const child = spawn([...command("serve"), ...args] as [string, ...string[]], {
    NOTIFY_SOCKET: manager.path,
  });
  const events: string[] = [];
  try {
    const ended = Promise.all([
      child.status,
      child.stdout.cancel(),
      follow(child, (event) => {
        events.push(event);
        if (event === "config.loaded") child.kill("SIGHUP");
        // Once: of two SIGTERMs the second is impatience. Of the signals any may be told first.
        const isFirst = events.filter((each) => each === event).length === 1;
        if (event !== "config.reloaded" || !isFirst) return;
        child.kill("SIGTERM");
        for (let time = 0; time < 3; time++) child.kill("SIGHUP");
      }),
    ]);
    const [{ code }] = await within(ended, { explain: () => `no end after ${events}` });
    assertEquals(code, 0);
  } catch (error) {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    throw error;
  }
  const [listening, reloading] = ["server.listening", "config.reloading"].map((event) =>
    events.indexOf(event)
  );
  assert(listening !== -1 && (listening ?? 0) < (reloading ?? 0), events.join(" "));
  const states = manager.lines.filter((line) => /^(READY|RELOADING|STOPPING)=/.test(line));
  assertEquals(states.at(-1), "STOPPING=1");
  assertEquals(states.filter((line) => line === "STOPPING=1").length, 1);
  assertEquals(states[0], "READY=1");
});
