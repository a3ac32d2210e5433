/** A log line that some code can write. */
export interface LogEvent {
  readonly event: string;
  readonly level: string;
  /** Path below src/. */
  readonly file: string;
}

const SRC = new URL("../../src/", import.meta.url);

/** A call of a log with its event's name. */
const CALL = /\blog(?:Of\("\w+"\))?\s*\.(debug|info|warning|error)\(\s*"([a-z_]+\.[a-z_]+)"/g;

/** Any call of a log, whatever its event is called. */
const ANY_CALL = /\blog(?:Of\([^)]*\))?\s*\.(?:debug|info|warning|error)\(/g;

/** The names a lasting trouble goes by; src/telemetry/failure_log.ts says at which level. */
const TROUBLE = /\b(begins|again|goesOn|ends): "([a-z_]+\.[a-z_]+)"/g;

const TROUBLE_LEVELS: Readonly<Record<string, string>> = {
  begins: "warning",
  again: "debug",
  goesOn: "warning",
  ends: "info",
};

/**
 * Every event in the source, in the order of files.
 *
 * @throws {TypeError} If an event's name is not there to be read: a list of names could go stale.
 */
export async function logEvents(): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for (const file of (await sourceFiles("")).sort()) {
    if (file.startsWith("telemetry/")) continue; // it writes what others say
    const text = (await Deno.readTextFile(new URL(file, SRC))).replace(/\/\*\*[^]*?\*\//g, "");
    const named = [...text.matchAll(CALL)];
    if (named.length !== [...text.matchAll(ANY_CALL)].length) {
      throw new TypeError(
        `Cannot list the events of ${file} as one is not a literal "thing.happened"`,
      );
    }
    for (const [, level = "", event = ""] of named) events.push({ event, level, file });
    for (const [, when = "", event = ""] of text.matchAll(TROUBLE)) {
      events.push({ event, level: TROUBLE_LEVELS[when] ?? "", file });
    }
  }
  return events;
}

async function sourceFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, SRC))) {
    if (isDirectory) files.push(...await sourceFiles(`${folder}${name}/`));
    else if (name.endsWith(".ts")) files.push(folder + name);
  }
  return files;
}
