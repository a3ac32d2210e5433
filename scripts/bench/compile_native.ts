import { runProgram } from "./run_program.ts";

/** The programs in C, ready to run. */
export interface Native {
  /** The load client. */
  readonly load: string;
  /** The server that does the least. */
  readonly floor: string;
  /** What they were compiled with. */
  readonly compiler: string;
}

const SOURCES = new URL("./native/", import.meta.url);

const FLAGS = ["-std=gnu11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"];

const PARTS = {
  load: [
    "load",
    "audience",
    "churn",
    "client",
    "clock",
    "fail",
    "http_reply",
    "ledger",
    "lines",
    "pace",
    "payload",
    "process_tree",
    "publisher",
    "reactor",
    "sources",
    "ws_frame",
  ],
  floor: ["floor", "fail", "reactor", "ws_frame"],
} as const;

/**
 * Compiles the load client and the floor into a folder.
 *
 * @throws {Error} If there is no C compiler; without one nothing can be measured.
 */
export async function compileNative(folder: string): Promise<Native> {
  const compiler = await findCompiler();
  const made = await Promise.all(
    Object.entries(PARTS).map(async ([name, parts]) => {
      const output = `${folder}/${name}`;
      const sources = parts.map((part) => new URL(`${part}.c`, SOURCES).pathname);
      await runProgram(["cc", ...FLAGS, "-o", output, ...sources]);
      return [name, output] as const;
    }),
  );
  const { load = "", floor = "" } = Object.fromEntries(made);
  return { load, floor, compiler };
}

async function findCompiler(): Promise<string> {
  try {
    return (await runProgram(["cc", "--version"])).split("\n")[0] ?? "cc";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "there is no C compiler (cc), which the load client needs; on Debian: apt-get install gcc libc6-dev",
    );
  }
}
