/** Holdfast: from arguments to a command to an exit code. */
import { GRPC_PROCESS, grpcProcess } from "./src/cli/grpc_process.ts";
import { processIo } from "./src/cli/io.ts";

if (import.meta.main) {
  // The hub's own child, started often enough for the rest not to be loaded.
  if (Deno.args[0] === GRPC_PROCESS) Deno.exit(await grpcProcess());
  const io = processIo();
  try {
    const { run } = await import("./src/cli/program.ts");
    Deno.exit(await run(Deno.args, io));
  } catch (error) {
    // Nothing expected ends here. A stack trace is of no use to whoever runs this.
    io.err(`holdfast: failed unexpectedly: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
