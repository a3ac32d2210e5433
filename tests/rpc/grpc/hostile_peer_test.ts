import { assert, assertEquals } from "../../support/assert.ts";
import { hostilePeer } from "../../support/http2/hostile_peer.ts";
import { MISDEEDS } from "../../support/http2/misdeeds.ts";
import { Chance, numberFromEnv, runSeed, say } from "../../support/seed.ts";
import { cert, key } from "../self_signed.ts";

/** Hostile connections in each of plaintext and TLS; 5,000 make the whole proof. */
const CONNECTIONS = numberFromEnv("HOLDFAST_HOSTILE_CONNECTIONS", 300);

const VICTIM = new URL("peers/victim.ts", import.meta.url).pathname;

for (const isTls of [false, true]) {
  const scheme = isTls ? "TLS" : "plaintext";
  Deno.test(`C01: no server ends the process by what it sends, over ${scheme}`, async () => {
    const seed = runSeed(`hostile HTTP/2 over ${scheme}`);
    const caFile = await Deno.makeTempFile({ prefix: "holdfast-test-", suffix: ".pem" });
    await Deno.writeTextFile(caFile, cert);
    const only = Deno.env.get("HOLDFAST_MISDEED");
    await using peer = hostilePeer({
      chance: new Chance(seed),
      ...(isTls ? { tls: { cert, key } } : {}),
      ...(only ? { only: only.split(",") } : {}),
    });
    let deaths = 0;
    let status: Deno.CommandStatus;
    let out = "";
    try {
      do {
        const victim = new Deno.Command(Deno.execPath(), {
          args: [
            "run",
            "-A",
            "--no-check",
            VICTIM,
            peer.url,
            String(seed),
            ...isTls ? [caFile] : [],
          ],
          stdin: "piped",
          stdout: "piped",
          stderr: "inherit",
        }).spawn();
        const printed = new Response(victim.stdout).text();
        const ended = victim.status;
        let isOver = false;
        ended.then(() => isOver = true);
        while (!isOver && peer.connections < CONNECTIONS) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        await victim.stdin.close().catch(() => {});
        status = await ended;
        out = await printed;
        if (!status.success) {
          deaths += 1;
          say(`died after ${peer.connections} connections: ${JSON.stringify(status)}`);
        }
      } while (peer.connections < CONNECTIONS);
    } finally {
      await Deno.remove(caFile);
    }
    say(`${peer.connections} hostile connections over ${scheme}, deaths ${deaths}: ${out.trim()}`);
    assertEquals(deaths, 0);
    assert(only || peer.done.size === Object.keys(MISDEEDS).length);
  });
}
