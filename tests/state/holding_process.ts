/** Holds a folder until it is killed; run by `state_test.ts`. */
import { openState } from "./support.ts";

const state = await openState(Deno.args[0] ?? "");
await Deno.stdout.write(new TextEncoder().encode("has it\n"));
setInterval(() => state.report(), 1000);
