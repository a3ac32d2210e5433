/** A program that opens libc and prints how that went; run by `libc_library_test.ts`. */
import { openLibc } from "../../src/platform/libc.ts";

const libc = openLibc();
let line = "opened";
if ("unavailable" in libc) {
  line = libc.unavailable;
} else {
  const result = libc.tuneListener(-1, { userTimeoutMs: 1 });
  if (!result.ok) line = `opened, ${result.why}`;
  libc[Symbol.dispose]();
}
await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
