/**
 * A process full of wanderers, made to be stopped and killed: every frame is in a journal on disk
 * before anything else is done with it. Ends when the hub goes down or its parent does.
 *
 * Arguments: the hub's address, a seed, and a journal's path for each wanderer.
 */
import { Chance } from "../support/seed.ts";
import { readJournal } from "./journal.ts";
import { Wanderer } from "./wanderer.ts";

const [url = "", seed = "", ...paths] = Deno.args;
const chance = new Chance(Number(seed));
const encoder = new TextEncoder();

const wanderers = paths.map((path) => {
  const before = Deno.readTextFileSync(path);
  const whole = before.slice(0, before.lastIndexOf("\n") + 1);
  const file = Deno.openSync(path, { write: true, append: true });
  file.truncateSync(encoder.encode(whole).length);
  return new Wanderer({
    url,
    batch: path.includes("batch"),
    chance: chance.fork(),
    journal: readJournal(whole),
    write: (entry) => {
      const line = encoder.encode(`${JSON.stringify(entry)}\n`);
      for (let at = 0; at < line.length;) at += file.writeSync(line.subarray(at));
    },
  });
});

/** The first word from the parent: settle down. The end of words: the parent has gone. */
async function obey(): Promise<void> {
  for await (const _ of Deno.stdin.readable) for (const each of wanderers) each.settle();
  Deno.exit(1);
}

void obey();
await Promise.all(wanderers.map((each) => each.run()));
Deno.exit(0);
