/** Holdfast: from arguments to a command to an exit code. */
import { processIo } from "./src/cli/io.ts";
import { run } from "./src/cli/program.ts";

if (import.meta.main) {
  const io = processIo();
  try {
    Deno.exit(await run(Deno.args, io));
  } catch (error) {
    // Nothing expected ends here. A stack trace is of no use to whoever runs this.
    io.err(`holdfast: failed unexpectedly: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
