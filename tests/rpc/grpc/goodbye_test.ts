import { assert } from "../../support/assert.ts";
import { DEVELOPMENT_LOCK_FLAG } from "../../support/command_line.ts";
import { hasPythonModule } from "../../support/python.ts";
import { numberFromEnv, runSeed, say } from "../../support/seed.ts";
import { runVictim } from "./victim.ts";

/** Orderly shutdowns of each kind of server; 200 make the whole proof. */
const GOODBYES = numberFromEnv("HOLDFAST_GOODBYES", 25);

const here = (name: string) => new URL(`peers/${name}`, import.meta.url).pathname;

const SERVERS = {
  "grpc-js": [
    ...[Deno.execPath(), "run", DEVELOPMENT_LOCK_FLAG, "-A", "--no-check", "--quiet"],
    here("goodbyes.ts"),
  ],
  "grpcio": ["/usr/bin/python3", here("goodbyes.py")],
} as const;

for (const [name, [program, ...args]] of Object.entries(SERVERS)) {
  const isMissing = name === "grpcio" && !hasPythonModule("grpc");
  Deno.test({
    name: `C01: a server of ${name} that shuts down in order ends no hub` +
      (isMissing ? " (ignored: apt-get install python3-grpcio)" : ""),
    ignore: isMissing,
    async fn() {
      const seed = runSeed(`goodbyes of ${name}`);
      let goodbyes = 0;
      const port = Promise.withResolvers<string>();
      /** Aborted when nobody is there any more to ask the server. */
      const alone = new AbortController();
      /** Lets a server live until it has said all its goodbyes, or dies of one itself. */
      const live = async (...again: string[]): Promise<void> => {
        const child = new Deno.Command(program, {
          args: [...args, String(GOODBYES - goodbyes), ...again],
          stdout: "piped",
          stderr: "null",
          signal: alone.signal,
        }).spawn();
        let text = "";
        for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
          const before = text.split("goodbye").length;
          text += piece;
          goodbyes += text.split("goodbye").length - before;
          const [first, ...rest] = text.split("\n");
          if (rest.length > 0) port.resolve(first ?? "");
        }
        await child.status;
      };
      let isOver = false;
      let lives = 0;
      const living = (async () => {
        await live();
        // The runtime's own server may not survive what it does to its clients.
        for (lives = 1; goodbyes < GOODBYES && !alone.signal.aborted; lives++) {
          await live(await port.promise);
        }
        isOver = true;
        port.resolve("");
      })();
      const url = `http://127.0.0.1:${await port.promise}`;
      const end = await runVictim({ url, seed }, () => isOver);
      alone.abort();
      await living;
      say(`${goodbyes} goodbyes of ${name} in ${lives} lives: ${JSON.stringify(end)}`);
      assert(end.ok, `died: ${JSON.stringify(end)}`);
      assert(goodbyes >= GOODBYES, `the server itself said only ${goodbyes} goodbyes`);
      // Each life of the server was asked something; on a busy machine some answers came too late.
      assert((end.report.seen["ok"] ?? 0) > 0, "no call was answered");
    },
  });
}
