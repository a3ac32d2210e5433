import { parse } from "yaml";
import { assert, assertEquals, assertNotEquals, assertRejects } from "../support/assert.ts";
import { StateDir } from "../state/support.ts";
import { configOf, startApp } from "../support/hub_in_process.ts";
import { Scrape } from "../support/scrape.ts";
import { documents } from "./documents.ts";
import { commandsIn, fencedBlocks } from "./fenced_blocks.ts";
import { logEvents } from "./log_events.ts";
import { substitute } from "./substitute.ts";

const ROOT = new URL("../../", import.meta.url);
const operations = documents().get("docs/operations.md") ?? "";

/** The rows of the table between `<!-- NAME -->` and `<!-- /NAME -->`, cells without their ticks. */
function tableOf(name: string): string[][] {
  const [, text = ""] = new RegExp(`<!-- ${name} -->([^]*?)<!-- /${name} -->`).exec(operations) ??
    [];
  const rows = text.split("\n").filter((line) => line.startsWith("|")).slice(2);
  return rows.map((row) =>
    row.split("|").slice(1, -1).map((cell) => cell.replace(/`/g, "").trim())
  );
}

/** Checks that a table has exactly these keys, each once, and says something about each. */
function assertTable(name: string, keys: Iterable<string>, keyCells = 1): void {
  const rows = tableOf(name);
  const found = rows.map((row) => row.slice(0, keyCells).join(" "));
  const wanted = [...new Set(keys)];
  const missing = wanted.filter((key) => !found.includes(key));
  const stale = found.filter((key, at) => !wanted.includes(key) || found.indexOf(key) !== at);
  assertEquals({ missing, stale }, { missing: [], stale: [] }, `docs/operations.md, ${name}`);
  for (const row of rows) assert((row.at(-1) ?? "").length > 5, row.join(" | "));
}

Deno.test("docs/operations.md tells of every event that can be logged, at its level", async () => {
  const events = await logEvents();
  const isOfDemo = ({ file }: { file: string }) => /^demo\/|^cli\/backend/.test(file);
  const keys = (wanted: typeof events) => wanted.map(({ event, level }) => `${event} ${level}`);
  assert(events.length > 40, String(events.length));
  assertTable("log events", keys(events.filter((each) => !isOfDemo(each))), 2);
  assertTable("demo log events", keys(events.filter(isOfDemo)), 2);
});

Deno.test("docs/operations.md names every metric there is", async () => {
  const files = [
    "server/reports/hub_metrics.ts",
    "server/reports/feed_metrics.ts",
    "server/reports/cluster_metrics.ts",
    "server/reports/state_metrics.ts",
    "server/reports/incident_metrics.ts",
    "telemetry/process_figures.ts",
    "workers/thread_metrics.ts",
  ];
  const texts = await Promise.all(
    files.map((file) => Deno.readTextFile(new URL(`src/${file}`, ROOT))),
  );
  const names = [...texts.join("\n").matchAll(/\b(?:counter|gauge|histogram)\(\s*"([a-z_]+)"/g)];
  const inSource = names.map(([, name = ""]) => name);
  assertTable("metrics", inSource);
  await using dir = await StateDir.make();
  await using app = await startApp({
    backends: { host: { transport: "host" } },
    sources: [{ channel: "system_status", backend: "host", method: "GetSystemStatus" }],
    // Nobody listens there: the hub does without, and shows what it would of a cluster.
    cluster: { nats: "nats://127.0.0.1:1", grace: "0s" },
    state: { dir: dir.path },
    workers: 2,
    hooks: [{ name: "ops", url: "http://127.0.0.1:1/" }],
  });
  const scrape = await Scrape.of(app);
  const shown = scrape.names;
  assert(shown.length > 20, String(shown.length));
  assertEquals(shown.filter((name) => !inSource.includes(name)), []);
  const labels = scrape.text.matchAll(/^([a-z_]+?)(?:_bucket|_sum|_count)?\{([^}]*)\}/gm);
  for (const [, name = "", pairs = ""] of labels) {
    const names = [...pairs.matchAll(/(\w+)="/g)].map(([, label = ""]) => label);
    const wanted = names.filter((label) => label !== "le").sort().join(", ");
    const row = tableOf("metrics").find(([metric]) => metric === name);
    assertEquals(row?.[1]?.split(", ").sort().join(", "), wanted, name);
  }
});

Deno.test("docs/operations.md says of every alert what to do", async () => {
  const text = await Deno.readTextFile(new URL("docs/operations/alerts.yml", ROOT));
  const { groups } = parse(text) as { groups: { rules: { alert: string }[] }[] };
  assertTable("alerts", groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)));
});

Deno.test("docs/operations.md says what needs no token, and what one without channels opens", async () => {
  const [, sentence = ""] = /\*\*Open to all\*\*([^]*?)\. Everything else/.exec(operations) ?? [];
  const open = [...sentence.matchAll(/`(\/[\w./]*)`/g)].map(([, path = ""]) => path);
  const closed = ["/ws", "/events", "/snapshot", "/status", "/metrics", "/asyncapi.json"];
  const token = "one-without-any-channels";
  await using app = await startApp({
    auth: { tokens: [{ name: "prometheus", token, channels: [], metrics: true }] },
    backends: { host: { transport: "host" } },
    sources: [{ channel: "system_status", backend: "host", method: "GetSystemStatus" }],
  });
  const ask = async (path: string, headers = {}) => {
    const response = await fetch(new URL(path, app.url), { headers });
    return { status: response.status, text: await response.text() };
  };
  assertEquals(open.toSorted(), ["/", "/client.d.ts", "/client.js", "/healthz", "/readyz"]);
  for (const path of open.filter((path) => path !== "/")) {
    assertNotEquals((await ask(path)).status, 401, path);
  }
  assert((await ask("/")).text.includes("<html"));
  for (const path of closed) assertEquals((await ask(path)).status, 401, path);
  const bearer = { authorization: `Bearer ${token}` };
  for (const path of ["/status", "/metrics"]) {
    assertEquals((await ask(path, bearer)).status, 200, path);
  }
  assertNotEquals((await ask("/snapshot/system_status", bearer)).status, 200);
  assert(!(await ask("/snapshot", bearer)).text.includes("system_status"));
});

Deno.test("docs/operations.md and the snippets name the same idle timeout, above two pings", async () => {
  const pingSeconds = configOf({}).hub.ping_every / 1000;
  const files = ["nginx.conf", "Caddyfile", "haproxy.cfg"];
  for (const file of files) {
    const text = await Deno.readTextFile(new URL(`docs/operations/${file}`, ROOT));
    const timeouts = [...text.matchAll(/^(?!\s*#).*\s(\d+)s;?$/gm)].map(([, s]) => Number(s));
    assert(timeouts.filter((seconds) => seconds === 75).length >= 2, file);
    assert(text.includes(`ping_every (${pingSeconds}s)`), file);
  }
  assert(operations.includes("75 s") && 75 > 2 * pingSeconds);
});

Deno.test("fencedBlocks() gives language, code and line", () => {
  const text = "a\n\n```sh\nx\n```\n```\ny\n```\n";
  assertEquals(fencedBlocks(text), [
    { language: "sh", code: "x\n", line: 4 },
    { language: "", code: "y\n", line: 7 },
  ]);
});

Deno.test("commandsIn() joins lines and leaves out comments", () => {
  const text = "```sh\n# no\na \\\n  b\n\nc\n```\n```ts\nd\n```\n";
  assertEquals(commandsIn("D.md", text), [
    { text: "a b", place: "D.md:4" },
    { text: "c", place: "D.md:6" },
  ]);
});

Deno.test("substitute() replaces all, and throws if something is not there", async () => {
  assertEquals(substitute("a b a", { a: "x" }), "x b x");
  await assertRejects(() => Promise.resolve().then(() => substitute("a", { z: "x" })), TypeError);
});
