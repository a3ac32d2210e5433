import { assert } from "../../support/assert.ts";
import { hasPythonModule } from "../../support/python.ts";
import { numberFromEnv, runSeed, say } from "../../support/seed.ts";
import { runVictim } from "./victim.ts";

/** Orderly shutdowns of each kind of server; 200 make the whole proof. */
const GOODBYES = numberFromEnv("HOLDFAST_GOODBYES", 25);

const here = (name: string) => new URL(`peers/${name}`, import.meta.url).pathname;

const SERVERS = {
  "grpc-js": [Deno.execPath(), "run", "-A", "--no-check", "--quiet", here("goodbyes.ts")],
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
      const child = new Deno.Command(program, {
        args: [...args, String(GOODBYES)],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      try {
        let goodbyes = 0;
        let isOver = false;
        const port = Promise.withResolvers<string>();
        const reading = (async () => {
          let text = "";
          for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
            text += piece;
            const [first, ...rest] = text.split("\n");
            if (rest.length > 0) port.resolve(first ?? "");
            goodbyes = text.split("goodbye").length - 1;
          }
          isOver = true;
          port.resolve("");
        })();
        const url = `http://127.0.0.1:${await port.promise}`;
        const end = await runVictim({ url, seed }, () => isOver);
        await reading;
        say(`${goodbyes} goodbyes of ${name}: ${JSON.stringify(end)}`);
        assert(end.ok, `died: ${JSON.stringify(end)}`);
        assert(goodbyes === GOODBYES, `the server itself said only ${goodbyes} goodbyes`);
        assert((end.report.seen["ok"] ?? 0) >= GOODBYES, "hardly a call was answered");
      } finally {
        try {
          child.kill("SIGKILL");
        } catch { /* it has ended */ }
        await child.status;
      }
    },
  });
}
