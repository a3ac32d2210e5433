import { type LogLevel, logOf, type LogOptions, startLogs } from "../../src/telemetry/log.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";

/** Starts logs that are kept in a list. */
function record(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const logs = startLogs({
    level: "debug",
    format: "json",
    write: (line) => void lines.push(line),
    ...options,
  });
  return { lines, [Symbol.asyncDispose]: () => logs[Symbol.asyncDispose]() };
}

function only(lines: readonly string[]): Record<string, unknown> {
  assertEquals(lines.length, 1);
  return JSON.parse(lines[0] ?? "");
}

Deno.test("logOf() writes one JSON object a line: time, level, room, event and the fields", async () => {
  await using logs = record();
  logOf("hub").warning("client.lost", { client_id: "x", duration_ms: 5, gone: undefined });
  const { time, ...rest } = only(logs.lines);
  assertMatch(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(rest, {
    level: "warning",
    room: "hub",
    event: "client.lost",
    client_id: "x",
    duration_ms: 5,
  });
});

Deno.test("startLogs() puts fields on every line that has none of that name", async () => {
  await using logs = record({ fields: { worker: 2 } });
  logOf("hub").info("client.connected", { client_id: "x" });
  logOf("hub").info("other.event", { worker: 3 });
  const workers = logs.lines.map((line) => JSON.parse(line).worker);
  assertEquals(workers, [2, 3]);
});

Deno.test("logOf() writes a readable line in the pretty format", async () => {
  await using logs = record({ format: "pretty" });
  logOf("feed").info("poll.ok", { channel: "a", n: 1, list: [1], gone: undefined });
  assertMatch(
    logs.lines[0] ?? "",
    /^\d\d:\d\d:\d\d\.\d{3} info {4}feed: poll\.ok {2}channel=a {2}n=1 {2}list=\[1\]$/,
  );
});

Deno.test("C12: a stop ends the logs amid a reload that changes them", async () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const ends = (["info", "debug", "warning"] as const).map((level) => {
    const logs = startLogs({ level, format: "json", write });
    logOf("cli").warning(`at.${level}`);
    return logs[Symbol.asyncDispose]();
  });
  logOf("cli").warning("after.all");
  await Promise.all(ends);
  assertEquals(lines.map((line) => JSON.parse(line).event), ["at.info", "at.debug", "at.warning"]);
});

Deno.test("startLogs() leaves out what is below its level", async () => {
  const levels: LogLevel[] = ["debug", "info", "warning", "error"];
  for (const [at, level] of levels.entries()) {
    await using logs = record({ level });
    const log = logOf("hub");
    for (const each of levels) log[each](`${each}.event`);
    assertEquals(
      logs.lines.map((line) => JSON.parse(line).level),
      levels.slice(at),
      level,
    );
  }
});

Deno.test("startLogs() again changes level and format from then on, for logs made before, too", async () => {
  const log = logOf("hub");
  await using before = record({ level: "error" });
  log.info("a.b");
  await using after = record({ level: "info" });
  log.info("a.c");
  assertEquals(before.lines, []);
  assertEquals(only(after.lines).event, "a.c");
});

Deno.test("logOf() is silent before logs are started and after they are disposed of", async () => {
  const logs = record();
  await logs[Symbol.asyncDispose]();
  logOf("hub").error("a.b");
  assertEquals(logs.lines, []);
});

Deno.test("logOf() does not throw on fields that cannot be encoded, and keeps the others", async () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const throwing = {
    toJSON() {
      throw new Error("no");
    },
  };
  for (const format of ["json", "pretty"] as const) {
    await using logs = record({ format });
    logOf("hub").info("a.b", { big: 12n, cycle, throwing, kept: "yes", call: () => 1 });
    assertEquals(logs.lines.length, 1, format);
    const [line = ""] = logs.lines;
    for (const each of ["12", "[cannot be shown]", "yes", "a.b"]) assertStringIncludes(line, each);
  }
});

Deno.test("logOf() shows what an error says", async () => {
  await using logs = record();
  logOf("hub").info("a.b", { why: new TypeError("no such thing") });
  assertEquals(only(logs.lines).why, "TypeError: no such thing");
});

Deno.test("logOf() lets no field pass itself off as the line's own time, level, room or event", async () => {
  await using logs = record();
  logOf("hub").info("a.b", { event: "fake", level: "error", room: "feed", time: "now" });
  const line = only(logs.lines);
  assertEquals([line.event, line.level, line.room], ["a.b", "info", "hub"]);
  assert(line.time !== "now");
});

Deno.test("logOf() writes one line whatever its fields hold", async () => {
  for (const format of ["json", "pretty"] as const) {
    await using logs = record({ format });
    logOf("hub").info("a.b", { why: "one\ntwo\r\n\u001b[31mred\u2028", list: ["x\ny"] });
    assertEquals(logs.lines.length, 1);
    assertMatch(logs.lines[0] ?? "", format === "json" ? /^[^\p{Cc}]*$/u : /^[^\p{Cc}\u2028]*$/u);
  }
});

Deno.test("logOf() does not throw when the stream behind it is closed", async () => {
  let tries = 0;
  await using _ = record({
    write() {
      tries += 1;
      throw new Deno.errors.BrokenPipe("closed");
    },
  });
  logOf("hub").error("a.b");
  logOf("hub").error("a.c");
  assert(tries >= 2);
});

Deno.test("startLogs() writes to standard error, and survives its being closed", async () => {
  const program = `
    import { logOf, startLogs } from ${
    JSON.stringify(new URL("../../src/telemetry/log.ts", import.meta.url).href)
  };
    startLogs({ level: "info", format: "json" });
    logOf("hub").info("first.line");
    Deno.stderr.close();
    logOf("hub").info("second.line");
    await Deno.stdout.write(new TextEncoder().encode("alive"));
  `;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--config", config, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(program));
  await stdin.close();
  const { stdout, stderr } = await child.output();
  const lines = new TextDecoder().decode(stderr);
  assertEquals(new TextDecoder().decode(stdout), "alive", lines);
  assertStringIncludes(lines, '"event":"first.line"');
});

/** What a terminal would act upon, or what would turn the writing around. */
const HOSTILE = "a\u009b2J\u007f\u202e\u2066b\u2028\ufeffc";

Deno.test("C33: logOf() escapes C1 controls, DEL and marks of direction, in keys too", async () => {
  for (const format of ["json", "pretty"] as const) {
    await using logs = record({ format });
    logOf("hub").info("a.b", { why: HOSTILE, [`k${HOSTILE}`]: [HOSTILE], at: { [HOSTILE]: 1 } });
    const [line = ""] = logs.lines;
    assertMatch(line, /^[^\p{Cc}\p{Bidi_Control}\u2028\ufeff]*$/u, format);
    if (format === "json") assertEquals(JSON.parse(line).why, HOSTILE);
  }
});

Deno.test("C33: in a pretty line no value can pass itself off as another field", async () => {
  await using logs = record({ format: "pretty" });
  const forged = [
    "x  code=SLOW_CLIENT",
    "code=A",
    '"',
    '" code=B "',
    "x\ty=1",
    "x\u00a0 code=C",
    "x\\",
    "",
  ];
  for (const why of forged) logOf("hub").info("a.b", { why, [`k ${why}`]: why, n: 1 });
  assertEquals(logs.lines.length, forged.length);
  for (const [at, line] of logs.lines.entries()) {
    // Head, then fields: a word or a quoted text, "=", the same.
    const text = `(?:"(?:[^"\\\\]|\\\\.)*"|[^\\s"=\\\\]+)`;
    const fields = line.split("hub: a.b  ")[1] ?? "";
    assertMatch(fields, new RegExp(`^why=${text}  ${text}=${text}  n=1$`), forged[at]);
    const [, shown = ""] = new RegExp(`^why=(${text})`).exec(fields) ?? [];
    assertEquals(shown.startsWith('"') ? JSON.parse(shown) : shown, forged[at]);
  }
});
