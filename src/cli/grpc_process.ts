import { openLibc } from "../platform/libc.ts";
import type { CommandLine } from "./backend_command.ts";
import { EXIT } from "./io.ts";

/** The hidden command by which a hub starts this program for one gRPC backend. */
export const GRPC_PROCESS = "grpc-transport";

/** The C library, by which the kernel is asked to end the process with the hub. */
const LIBC = "/lib/x86_64-linux-gnu/libc.so.6,/lib/aarch64-linux-gnu/libc.so.6,/lib64/libc.so.6";

/** What ends a hub from outside; its gRPC processes end by the pipe to them, once it has gone. */
const LEFT_TO_THE_HUB: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * How this very program runs its gRPC process: a compiled executable runs itself, from a checkout
 * the runtime runs `main.ts` with the network and nothing else that could be of use to a stranger.
 */
export function grpcCommand(): CommandLine {
  if (Deno.build.standalone) return { program: Deno.execPath(), args: [GRPC_PROCESS] };
  const main = new URL("../../main.ts", import.meta.url).href;
  const permissions = ["--no-prompt", "--allow-net", "--allow-env", `--allow-ffi=${LIBC}`];
  // Types are the business of who changes them.
  const flags = ["--quiet", "--no-check", ...permissions];
  return { program: runtime(), args: ["run", ...flags, main, GRPC_PROCESS] };
}

/**
 * The runtime that runs this, or the one of that name where only that may be run: the task `start`
 * says `--allow-run=deno`, and what is on the PATH may be a script that starts it.
 */
function runtime(): string {
  const command = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted" ? command : "deno";
}

/** Carries out what the hub orders through standard input, until that ends. Returns the exit code. */
export async function grpcProcess(): Promise<number> {
  // The way out if even the hub's end cannot reach the event loop: it may run in a circle.
  const libc = openLibc();
  if (!("unavailable" in libc)) {
    libc.endWithParent();
    libc[Symbol.dispose]();
  }
  if (Deno.build.os !== "windows") {
    for (const signal of LEFT_TO_THE_HUB) Deno.addSignalListener(signal, () => {});
  }
  const { serveTransport } = await import("../rpc/grpc/process/serve_transport.ts");
  try {
    await serveTransport(Deno.stdin.readable, Deno.stdout.writable);
    return EXIT.ok;
  } catch {
    // The hub has gone, or it was not a hub that started this.
    return EXIT.usage;
  }
}
