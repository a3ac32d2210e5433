import { assert, assertEquals } from "../support/assert.ts";
import { Chance, numberFromEnv, runSeed } from "../support/seed.ts";
import { keptOf, openState, put, StateDir } from "./support.ts";
import type { State } from "../../src/state/state.ts";

const DAMAGES = numberFromEnv("HOLDFAST_DAMAGES", 25);

/** Frames that refer to the one before, and a position that counts them: as the hub keeps them. */
function said(state: State, n: number): void {
  state.write([
    put("frame", String(n).padStart(6, "0"), { n, previous: n - 1, text: `frame ${n}`.repeat(20) }),
    put("position", "hub", { last: n }),
    put("value", `channel_${n % 7}`, { n, text: `value of ${n}` }),
  ]);
}

const LAST = 400;

async function storeToDamage(isClean: boolean): Promise<StateDir> {
  const dir = await StateDir.make();
  const state = await openState(dir.path);
  for (let n = 1; n <= LAST; n++) {
    said(state, n);
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
  }
  while (state.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const copy = await dir.copy();
  await state[Symbol.asyncDispose]();
  if (!isClean) {
    await dir[Symbol.asyncDispose]();
    return copy;
  }
  await copy[Symbol.asyncDispose]();
  return dir;
}

/** Bends some bytes, or cuts a file off. */
async function damage(dir: StateDir, chance: Chance): Promise<string> {
  const file = chance.pick(dir.files().filter((name) => !/^lock$|-shm$/.test(name)));
  const path = `${dir.path}/${file}`;
  const bytes = await Deno.readFile(path);
  if (bytes.length === 0) return `${file} is empty`;
  const at = Math.floor(chance.between(0, bytes.length));
  if (chance.percent(20)) {
    await Deno.truncate(path, at);
    return `${file} cut at ${at} of ${bytes.length}`;
  }
  const count = Math.floor(chance.between(1, 40));
  for (let n = 0; n < count; n++) {
    bytes[(at + n) % bytes.length] = Math.floor(chance.between(0, 256));
  }
  await Deno.writeFile(path, bytes);
  return `${count} bytes of ${file} bent at ${at} of ${bytes.length}`;
}

Deno.test("State that was damaged anywhere opens, and gives back nothing that was not so", async () => {
  const chance = new Chance(runSeed("damage"));
  await using clean = await storeToDamage(true);
  await using crashed = await storeToDamage(false);
  for (let n = 0; n < DAMAGES; n++) {
    await using dir = await chance.pick([clean, crashed]).copy();
    const what = await damage(dir, chance);
    await using state = await openState(dir.path);
    assert(state.report().ok, `${what}: ${state.report().why}`);
    for (const [channel, value] of Object.entries(keptOf(state, "value"))) {
      const { n: value_n, text } = value as { n: number; text: string };
      assertEquals([`channel_${value_n % 7}`, `value of ${value_n}`], [channel, text], what);
    }
    const position = keptOf(state, "position")["hub"] as { last: number } | undefined;
    if (position === undefined) continue; // a new epoch: nothing is claimed
    assertEquals(position.last, LAST, `${what}: it went back in time`);
    const frames = Object.values(keptOf(state, "frame")) as { n: number; previous: number }[];
    assertEquals(
      frames.map((each) => each.n),
      Array.from({ length: LAST }, (_, at) => at + 1),
      what,
    );
    state.write([put("value", "after", { n: 1 })]); // and it goes on
    assert(state.isKeeping, what);
  }
});
