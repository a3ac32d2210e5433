import { assert, assertEquals } from "../../support/assert.ts";
import { hostilePeer } from "../../support/http2/hostile_peer.ts";
import { MISDEEDS } from "../../support/http2/misdeeds.ts";
import { Chance, numberFromEnv, runSeed, say } from "../../support/seed.ts";
import { cert, key } from "../self_signed.ts";
import { runVictim } from "./victim.ts";

/** Hostile connections over each of plaintext and TLS; 5000 make the whole proof. */
const CONNECTIONS = numberFromEnv("HOLDFAST_HOSTILE_CONNECTIONS", 200);

/** Only these, with commas between: to look for what one of them does. */
const MISDEED = Deno.env.get("HOLDFAST_HOSTILE_MISDEED");

for (const scheme of ["plaintext", "TLS"]) {
  Deno.test(`C01: a server ends no hub by what it sends, over ${scheme}`, async () => {
    const isTls = scheme === "TLS";
    const seed = runSeed(`hostile HTTP/2 over ${scheme}`);
    const ca = await Deno.makeTempFile({ prefix: "holdfast-test-", suffix: ".pem" });
    await Deno.writeTextFile(ca, cert);
    try {
      await using peer = hostilePeer({
        chance: new Chance(seed),
        ...(isTls ? { tls: { cert, key } } : {}),
        ...(MISDEED ? { only: MISDEED.split(",") } : {}),
      });
      const end = await runVictim(
        { url: peer.url, seed, ...(isTls ? { ca } : {}) },
        () => peer.connections >= CONNECTIONS,
      );
      say(`${peer.connections} hostile connections over ${scheme}: ${JSON.stringify(end)}`);
      assert(end.ok, `died: ${JSON.stringify(end)}`);
      assert(peer.connections >= CONNECTIONS);
      if (!MISDEED) assertEquals(peer.done.size, Object.keys(MISDEEDS).length);
      // All of it was an outcome, and what was right among it was understood.
      assert((end.report.seen["unavailable"] ?? 0) > 0);
      if (!MISDEED) assert((end.report.seen["ok"] ?? 0) > 0);
    } finally {
      await Deno.remove(ca);
    }
  });
}
