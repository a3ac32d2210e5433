import { writesToJournal } from "../../src/telemetry/journal.ts";
import { logOf, startLogs } from "../../src/telemetry/log.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { runHoldfast } from "../support/command_line.ts";

const JOURNAL = { JOURNAL_STREAM: "8:1234", NOTIFY_SOCKET: "/run/systemd/notify" };

Deno.test("writesToJournal() is true for a service that notifies and whose output is the journal's", () => {
  // Where tests run in a terminal, it is none of the journal's.
  assertEquals(writesToJournal(JOURNAL), !Deno.stderr.isTerminal());
  assertEquals(writesToJournal({ JOURNAL_STREAM: JOURNAL.JOURNAL_STREAM }), false);
  assertEquals(writesToJournal({ NOTIFY_SOCKET: JOURNAL.NOTIFY_SOCKET }), false);
  assertEquals(writesToJournal({}), false);
});

Deno.test("startLogs() puts the level before each line for the journal; the rest is the line", async () => {
  const lines: string[] = [];
  await using _logs = startLogs({
    level: "debug",
    format: "json",
    journal: true,
    write: (line) => void lines.push(line),
  });
  const log = logOf("hub");
  log.debug("a");
  log.info("b");
  log.warning("c");
  log.error("d", { text: "two\nlines" });
  assertEquals(lines.map((line) => line.slice(0, 3)), ["<7>", "<6>", "<4>", "<3>"]);
  assertEquals(lines.map((line) => JSON.parse(line.slice(3)).event), ["a", "b", "c", "d"]);
});

Deno.test("serve writes for the journal where it runs as a service, and plain lines elsewhere", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = ["serve", "--listen", `127.0.0.1:${taken.addr.port}`]; // ends at once
  const [asService, elsewhere] = await Promise.all([
    runHoldfast(args, { JOURNAL_STREAM: "8:1", NOTIFY_SOCKET: "@holdfast-nobody-listens" }),
    runHoldfast(args, { JOURNAL_STREAM: "8:1" }),
  ]);
  const loaded = ({ stderr }: { stderr: string }) =>
    stderr.split("\n").find((line) => line.includes("config.loaded")) ?? "";
  assert(loaded(asService).startsWith('<6>{"time"'), asService.stderr);
  assert(loaded(elsewhere).startsWith('{"time"'), elsewhere.stderr);
});
