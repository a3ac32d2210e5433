import { Command, CommanderError } from "commander";
import { checkConfig, printExample, printSchema } from "./config_command.ts";
import { EXIT, type Io } from "./io.ts";
import { printable } from "./printable.ts";
import { serve } from "./serve.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the command line and returns the exit code: 0 clean stop, 1 failure at run time, 2 bad
 * usage or bad configuration.
 *
 * A command's code is loaded when it is asked for: a hub starts without that of the tools.
 *
 * @param args As in `Deno.args`.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = commandLine(io, (code) => exitCode = code);
  try {
    if (args.length === 0) program.help({ error: true });
    await program.parseAsync(withoutSeparator(args), { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for end with 0, everything else was bad usage.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

/** Every command with its flags, which the manual and the shells' completions are made of too. */
export function commandLine(io: Io, ended: (exitCode: number) => void): Command {
  const program = new Command("holdfast")
    .description(
      "Polls backends once, keeps the last good value, and tells every client the truth.",
    )
    .version(VERSION, "-V, --version")
    .exitOverride()
    .showHelpAfterError("(add --help for what is possible)")
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });

  program.command("serve")
    .description("run the hub")
    .option("-c, --config <file>", "configuration, JSONC or YAML (default: an embedded one)")
    .option("-l, --listen <host:port>", "where to listen")
    .option("--state <dir>", "folder for what outlives the process (default: memory alone)")
    .option("--workers <n|auto>", 'threads that serve clients; "auto": one a core (default: 1)')
    .option("--log-level <level>", "debug, info, warning or error")
    .option("--log-format <format>", "json or pretty (default: pretty on a terminal, else json)")
    .allowExcessArguments()
    .action(async ({ config, listen, state, workers, logLevel, logFormat }, command) => {
      const [file] = command.args;
      if (file !== undefined) {
        const found = printable(JSON.stringify(file));
        const meant = /\.(jsonc?|ya?ml)$/i.test(file) ? `; did you mean --config ${found}?` : "";
        command.error(`error: too many arguments: serve takes none, found ${found}${meant}`);
      }
      ended(
        await serve({
          ...(config === undefined ? {} : { config }),
          flags: {
            ...(listen === undefined ? {} : { listen }),
            ...(state === undefined ? {} : { state }),
            ...(workers === undefined ? {} : { workers }),
            ...(logLevel === undefined ? {} : { logLevel }),
            ...(logFormat === undefined ? {} : { logFormat }),
          },
        }, io),
      );
    });

  const config = program.command("config").description("check a configuration, or see what one is");
  config.command("check")
    .description("tell everything that is wrong with a file")
    .argument("<file>", "the configuration, JSONC or YAML")
    .option("--against <file>", "tell what changing from this file to the checked one would do")
    .option("--hooks", "send a test to each hook; exit 1 if one does not take it")
    .action(async (file, flags) => {
      ended(await checkConfig(file, io, flags));
    });
  config.command("schema")
    .description("print the JSON Schema of a configuration")
    .action(() => {
      ended(printSchema(io));
    });
  config.command("example")
    .description("print an example with every setting and its default")
    .action(() => {
      ended(printExample(io));
    });

  program.command("demo")
    .description("run a hub with a demo backend, ready to be looked at")
    .option("-l, --listen <host:port>", "where the hub listens (default: 127.0.0.1:8787)")
    .option("--log-level <level>", "debug, info, warning or error (default: warning)")
    .option("--log-format <format>", "json or pretty (default: pretty)")
    .action(async (flags) => {
      const { demo } = await import("./demo.ts");
      ended(await demo(flags, io));
    });

  program.command("backend")
    .description("run the demo backend alone: a compression service that speaks JSON-RPC")
    .option("-l, --listen <host:port>", "where to listen (default: 127.0.0.1:9090)")
    .option("--spool <dir>", "the folder to work on (default: a temporary one)")
    .option("--faults", "let it be made to misbehave, from its page or by SetFault")
    .option("--agents <count>", "how many files are compressed at a time (default: 3)")
    .option("--pace <bytes>", "most bytes a second that each agent reads (default: no limit)")
    .option("--stop-on-eof", "stop when standard input ends")
    .option("--log-level <level>", "debug, info, warning or error (default: info)")
    .option("--log-format <format>", "json or pretty (default: json)")
    .action(async (flags) => {
      const { backend } = await import("./backend.ts");
      ended(await backend(flags, io));
    });

  program.command("watch")
    .description("show live what a hub says, and come back when the connection is lost")
    .argument("<url>", "the hub, such as http://127.0.0.1:8787")
    .option("--channels <names>", "channel names with commas between (default: all)")
    .option("--token <token>", "what the hub asks for (better: HOLDFAST_TOKEN)")
    .option("--ca <file>", "PEM certificates to trust beside the usual ones")
    .option("--json", "every frame on a line of its own, as it was received")
    .action(async (url, flags) => {
      const { watch } = await import("./watch.ts");
      ended(await watch(url, flags, io));
    });

  program.command("probe")
    .description("check a live hub against the protocol; exit 1 if any check fails")
    .argument("<url>", "the hub, such as http://127.0.0.1:8787")
    .option("--token <token>", "what the hub asks for (better: HOLDFAST_TOKEN)")
    .option("--ca <file>", "PEM certificates to trust beside the usual ones")
    .option("--for <duration>", "how long to listen (default: two heartbeats, 30s at most)")
    .option("--json", "every check as a JSON object on a line")
    .action(async (url, flags) => {
      const { probe } = await import("./probe.ts");
      ended(await probe(url, flags, io));
    });

  program.command("bench")
    .description("put a hub under the load of many clients, and measure what they get")
    .argument("<url>", "the hub, such as http://127.0.0.1:8787")
    .option("--clients <count>", "how many, up to 10000 (default: 100)")
    .option("--for <duration>", "how long to measure (default: 10s)")
    .option("--token <token>", "what the hub asks for (better: HOLDFAST_TOKEN)")
    .option("--ca <file>", "PEM certificates to trust beside the usual ones")
    .option("--json", "the result as one JSON object")
    .option("--yes-this-is-mine", "allow a hub on another machine")
    .action(async (url, flags) => {
      const { bench } = await import("./bench.ts");
      ended(await bench(url, flags, io));
    });

  program.command("incidents")
    .description("tell what failed, when, for how long and why, newest first")
    .argument("<url>", "the hub, such as http://127.0.0.1:8787")
    .option("--since <duration>", "only what lasted within so long (default: all there is)")
    .option("--token <token>", "what the hub asks for (better: HOLDFAST_TOKEN)")
    .option("--ca <file>", "PEM certificates to trust beside the usual ones")
    .option("--json", "every incident as a JSON object on a line")
    .action(async (url, flags) => {
      const { incidents } = await import("./incidents.ts");
      ended(await incidents(url, flags, io));
    });

  program.command("publish")
    .description("publish one value or event; exit 1 if it was not accepted")
    .argument("<url>", "the hub, such as http://127.0.0.1:8787")
    .argument("<channel>", "a status channel that no source feeds, or notification")
    .argument("[json]", "the value; - or nothing: from standard input")
    .option("--valid-for <duration>", "until when it counts as current, such as 26h")
    .option("--token <token>", "one that may publish (better: HOLDFAST_TOKEN)")
    .option("--ca <file>", "PEM certificates to trust beside the usual ones")
    .action(async (url, channel, json, flags) => {
      const { publish } = await import("./publish.ts");
      ended(await publish([url, channel, json], flags, io));
    });

  program.command("version")
    .description("print the version")
    .action(() => io.out(VERSION));

  return program;
}

/** `deno task start -- --config F` passes the `--` on, behind the command: it says nothing here. */
function withoutSeparator(args: readonly string[]): string[] {
  return args[1] === "--" ? [...args.slice(0, 1), ...args.slice(2)] : [...args];
}
