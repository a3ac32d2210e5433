import { assert, assertEquals } from "../support/assert.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { StateDir } from "../state/support.ts";
import { Lives, randomWhile, Returner } from "./lives.ts";

const KILLS = numberFromEnv("HOLDFAST_KILLS", 20);

Deno.test("a hub that is killed at random moments contradicts nothing it said before", async () => {
  const chance = new Chance(runSeed("lives"));
  await using dir = await StateDir.make();
  await using backend = new RpcBackend();
  await using lives = new Lives(dir.path, backend);
  const said = new Map<string, string>();
  const returners = ["all", "batch", "late"].map((name) => new Returner(name, said));
  const accepted = new Map<number, number>();
  let next = 1;
  for (let kill = 0; kill <= KILLS; kill++) {
    await lives.start();
    const publishing = lives.publish(next, accepted);
    for (const each of returners) {
      await each.come(lives);
      if (chance.percent(30)) await randomWhile(chance);
    }
    if (chance.percent(25)) backend.set("Get", chance.pick(["ok", "http_500"]));
    await randomWhile(chance);
    if (kill === KILLS) {
      backend.set("Get", "ok");
      // No life comes after this one in which to hear of what is accepted right before its end.
      lives.enough();
      next = await publishing;
      const last = [...accepted.keys()].at(-1) ?? 0;
      for (const each of returners) await each.until(last);
    }
    await lives.kill();
    next = await publishing;
    for (const each of returners) await each.leave();
  }
  assertEquals(returners.flatMap(({ faults }) => faults), []);
  for (const { events } of returners) {
    const [first = 0] = events;
    const missed = [...accepted.keys()].filter((n) => n > first && !events.has(n));
    assertEquals(missed, [], "accepted, and never heard of");
  }
  assert(accepted.size > KILLS);
  say(`lives: ${KILLS} kills, ${accepted.size} events accepted, ${said.size} frames`);
});
