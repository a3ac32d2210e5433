// deno-lint-ignore-file no-control-regex -- terminals are spoken to in control characters
import { watch, type WatchFlags } from "../../src/cli/watch.ts";
import { compact } from "../../src/cli/watch/compact.ts";
import { drawView, type ViewModel } from "../../src/cli/watch/view.ts";
import { age } from "../../src/cli/watch/words.ts";
import { column, fit, printable } from "../../src/cli/printable.ts";
import { PLAIN, styleFor } from "../../src/cli/style.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../support/assert.ts";
import { command, runHoldfast, spawn } from "../support/command_line.ts";
import { ScriptedHub } from "../support/scripted_hub.ts";
import { FakeScreen, recordedIo } from "./fake_screen.ts";

const QUICK = { minMs: 1, maxMs: 20 };

/** A watch under way, with everything it touches. */
function start(
  hub: ScriptedHub,
  flags: WatchFlags = {},
  options: { isTerminal?: boolean; env?: Record<string, string> } = {},
) {
  const screen = new FakeScreen({ isTerminal: options.isTerminal ?? false });
  const io = recordedIo(options.env);
  const stop = new AbortController();
  const code = watch(hub.url, flags, io, { screen, signal: stop.signal, backoff: QUICK });
  return { screen, io, stop: () => stop.abort(), code };
}

function errorData(code: string, message: string, more: object = {}) {
  const timestamp = Math.floor(Date.now() / 1000);
  return { code, message, timestamp, component: "rpc", severity: "critical", ...more };
}

Deno.test("watch() writes a plain line for each thing heard, until told to stop", async () => {
  await using hub = new ScriptedHub();
  const { screen, io, stop, code } = start(hub);
  const connection = await hub.arrival();
  connection.status("system_status", { load: 0.5, disks: [1, 2] }, 1);
  const error = errorData("RPC_UNAVAILABLE", "a cached one", { details: "refused" });
  const stale = { data: "x", is_stale: true, cached_at: 1, age_ms: 65_000, error };
  connection.send("storage_update", stale, 2);
  connection.send("rpc_error", errorData("CIRCUIT_OPEN", "no answer\x1b[2J"), 3);
  connection.send("notification", { title: "hello there" }, 4);
  await screen.until(/notification/);
  stop();
  assertEquals(await code, 0);
  assertEquals(screen.lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, "")), [
    "system_status live 0s load=0.5 disks=[1 2]",
    "storage_update STALE 1m05s (refused) x",
    "error CIRCUIT_OPEN critical: no answer\\u001b[2J",
    'notification title="hello there"',
  ]);
  assertEquals(io.errs, [`holdfast: ${hub.url}: connected`]);
});

Deno.test("C18: watch() shows numbers as the hub wrote them", async () => {
  await using hub = new ScriptedHub();
  const { screen, stop, code } = start(hub);
  const connection = await hub.arrival();
  connection.sendText(
    `{"type":"system_status","timestamp":1,"seq":1,"data":{"data":{"serial":1764000000123456789,` +
      `"huge":1e999,"price":1.50,"list":[9007199254740993,2]},"is_stale":false,"cached_at":1,"age_ms":0}}`,
  );
  await screen.until(/serial/);
  stop();
  assertEquals(await code, 0);
  assertStringIncludes(
    screen.written,
    "live 0s serial=1764000000123456789 huge=1e999 price=1.50 list=[9007199254740993 2]",
  );
});

Deno.test("watch() --json writes each frame as it was received", async () => {
  await using hub = new ScriptedHub();
  const { screen, stop, code } = start(hub, { json: true, channels: "system_status" }, {
    isTerminal: true,
  });
  const connection = await hub.arrival();
  assertEquals(connection.query, { channels: "system_status,heartbeat,error" });
  // Spaces, and a number that JSON's reader would change.
  const text = `{"type": "system_status", "timestamp": 1, "seq": 7, ` +
    `"data": {"data": 12345678901234567890, "is_stale": false, "cached_at": 1, "age_ms": 0}}`;
  connection.sendText(text);
  await screen.until(/1234567890/);
  stop();
  assertEquals(await code, 0);
  assertEquals(screen.lines.length, 2);
  assertEquals(JSON.parse(screen.lines[0] ?? "").type, "welcome");
  assertEquals(screen.lines[1], text);
});

for (const isTerminal of [true, false]) {
  Deno.test(`C33: watch() --json lets no frame move the cursor of a terminal (${isTerminal})`, async () => {
    await using hub = new ScriptedHub();
    const { screen, stop, code } = start(hub, { json: true }, { isTerminal });
    const connection = await hub.arrival();
    connection.send("notification", { title: "a\u009b2Jb\u202ec" }, 1);
    await screen.until(/notification/);
    // A tab between the parts of a text is no escape's place.
    connection.sendText(
      `{"type":\t"notification", "timestamp":1,"seq":2,"data":{"title":"\u007f"}}`,
    );
    await screen.until(/"seq":2/);
    stop();
    await code;
    assertStringIncludes(screen.written, '"a\\u009b2Jb\\u202ec"');
    const titles = screen.lines.slice(-2).map((line) => JSON.parse(line).data.title);
    assertEquals(titles, ["a\u009b2Jb\u202ec", "\u007f"]);
    assertMatch(screen.written, /^[^\u007f-\u009f\u202e]*$/);
  });
}

Deno.test("C33: watch() shows no value that looks like another member", async () => {
  await using hub = new ScriptedHub();
  const { screen, stop, code } = start(hub);
  const connection = await hub.arrival();
  connection.status("system_status", { name: "a=1", "b c": "x y=2", d: '"', e: "plain" }, 1);
  await screen.until(/plain/);
  stop();
  await code;
  assertStringIncludes(screen.written, `name="a=1" "b c"="x y=2" d="\\"" e=plain`);
});

Deno.test("watch() comes back when the connection is lost, and says so", async () => {
  await using hub = new ScriptedHub();
  const { screen, io, stop, code } = start(hub);
  const first = await hub.arrival();
  first.status("system_status", 1, 1);
  await screen.until(/system_status live/);
  await first.close(1011, "by accident");
  const second = await hub.arrival();
  second.status("system_status", 2, 2);
  await screen.until(/system_status live 0s 2/);
  stop();
  assertEquals(await code, 0);
  assertMatch(screen.written, /system_status STALE \d+s \(hub unreachable\) 1/);
  const said = io.errs.map((line) => line.replace(`holdfast: ${hub.url}: `, ""));
  assertEquals(said[0], "connected");
  assertMatch(said[1] ?? "", /^by accident \(code 1011\); trying again in \d+\.\ds$/);
  assertEquals(said[2], "connected");
});

for (
  const [status, sentence] of [[401, /refused the token/], [403, /refused this origin/]] as const
) {
  Deno.test(`watch() ends with 1 and a sentence when the hub answers ${status}`, async () => {
    await using hub = new ScriptedHub({ door: () => new Response(null, { status }) });
    const { io, code, screen } = start(hub, { token: "s3cret-token" }, { isTerminal: true });
    assertEquals(await code, 1);
    assertMatch(io.errs.at(-1) ?? "", sentence);
    assert(!io.errs.join().includes("s3cret"), "the token is not shown");
    assertStringIncludes(screen.written, "\x1b[?1049l", "the terminal is given back");
    assertEquals(screen.listeners, 0);
  });
}

Deno.test("watch() takes the token from --token, else from HOLDFAST_TOKEN", async () => {
  await using hub = new ScriptedHub();
  const env = { HOLDFAST_TOKEN: "aaa" };
  for (const [flags, expected] of [[{}, "aaa"], [{ token: "bbb" }, "bbb"]] as const) {
    const { stop, code } = start(hub, flags, { env });
    const connection = await hub.arrival();
    assertEquals(connection.protocols, ["holdfast", `holdfast.token.${btoa(expected)}`]);
    stop();
    assertEquals(await code, 0);
  }
});

Deno.test("watch() ends when nobody reads any more", async () => {
  await using hub = new ScriptedHub();
  const { screen, code } = start(hub);
  const connection = await hub.arrival();
  screen.isRead = false;
  connection.status("system_status", 1, 1);
  assertEquals(await code, 0);
});

Deno.test("watch() ends with 2 and tells all problems of its arguments", async () => {
  const cases: [string, WatchFlags, RegExp[]][] = [
    ["no url", {}, [/^holdfast: URL: .*cannot be parsed/]],
    ["ftp://x", { token: "" }, [/--token: found ""/, /scheme must be http/]],
    ["http://u:hunter2@x", {}, [/credentials/]],
    ["http://x?token=hunter2", {}, [/query/]],
    ["http://x", { channels: " , " }, [/--channels: found no name/]],
    ["http://x", { channels: "Bad" }, [/"Bad".*lower-case/]],
  ];
  for (const [url, flags, expected] of cases) {
    const io = recordedIo();
    const screen = new FakeScreen();
    assertEquals(await watch(url, flags, io, { screen }), 2, url);
    assertEquals(io.errs.length, expected.length, url);
    for (const [at, pattern] of expected.entries()) assertMatch(io.errs[at] ?? "", pattern);
    assert(!io.errs.join().includes("hunter2"), "nothing secret is repeated");
  }
});

Deno.test("watch() draws a live view on a terminal and gives the terminal back", async () => {
  await using hub = new ScriptedHub();
  const { screen, io, stop, code } = start(hub, {}, { isTerminal: true });
  const connection = await hub.arrival();
  connection.status("system_status", { load: 1 }, 1);
  connection.send("rpc_error", errorData("CIRCUIT_OPEN", "core is not answering"), 2);
  await screen.until(/\x1b\[32mlive \x1b\[39m +\d+s {2}load=1/);
  await screen.until(/\x1b\[41m\d\d:\d\d:\d\d CIRCUIT_OPEN critical: core is not answering/);
  const from = screen.written.length;
  screen.resize({ columns: 60, rows: 10 });
  assertStringIncludes(screen.written.slice(from), "\x1b[2J", "all is drawn anew");
  assertStringIncludes(screen.written.slice(from), "─".repeat(60) + "\x1b");
  stop();
  assertEquals(await code, 0);
  assert(screen.written.startsWith("\x1b[?1049h\x1b[?25l"));
  const [, after = ""] = screen.written.split("\x1b[?25h\x1b[?1049l");
  assertMatch(after, /system_status .*live.*load=1/, "what was last seen stays on the screen");
  assertEquals(screen.listeners, 0);
  assertEquals(io.errs, []);
});

Deno.test("watch() uses no colour where NO_COLOR is set", async () => {
  await using hub = new ScriptedHub();
  const { screen, stop, code } = start(hub, {}, { isTerminal: true, env: { NO_COLOR: "1" } });
  const connection = await hub.arrival();
  connection.status("system_status", { load: 1 }, 1);
  await screen.until(/system_status +live +\d+s {2}load=1/);
  stop();
  await code;
  assertEquals(/\x1b\[[0-9;]*m/.test(screen.written), false);
});

const MODEL: ViewModel = {
  url: "http://hub",
  connection: { kind: "waiting", reason: "gone", waitMs: 3000 },
  clients: undefined,
  channels: [
    { kind: "live", channel: "a", data: { n: 1 }, cachedAt: 1, ageMs: 1500 },
    {
      kind: "stale",
      channel: "bb",
      data: 2,
      cachedAt: 1,
      ageMs: 90_000,
      why: "hub unreachable",
      staleSince: 1,
      staleForMs: 5,
    },
    { kind: "never_seen", channel: "c", why: "no value yet" },
  ],
  happenings: [
    { time: "10:00:00", text: "old", tone: "plain" },
    { time: "10:00:01", text: "new", tone: "error" },
  ],
};

Deno.test("drawView() says the state of each channel by word, failing first, errors beneath", () => {
  assertEquals(drawView(MODEL, { columns: 50, rows: 10 }, PLAIN), [
    "http://hub  gone; trying again in 3.0s",
    "bb  STALE  1m30s  hub unreachable · 2",
    "c   none          no value yet",
    "a   live      1s  n=1",
    "─".repeat(50),
    "10:00:00 old",
    "10:00:01 new",
  ]);
});

Deno.test("drawView() counts the clients of this hub, and of all hubs where there are several", () => {
  const welcome = {
    session: "s",
    epoch: "e",
    seq: 0,
    channels: [],
    heartbeat_ms: 1000,
    recovered: false,
    gap: false,
  };
  const connection = { kind: "open", welcome } as const;
  const top = (counts: Partial<ViewModel>) =>
    drawView({ ...MODEL, connection, ...counts }, { columns: 60, rows: 10 }, PLAIN)[0];
  assertEquals(top({}), "http://hub  connected");
  assertEquals(top({ clients: 3 }), "http://hub  connected, 3 clients");
  assertEquals(
    top({ clients: 3, clusterClients: 345 }),
    "http://hub  connected, 3 clients of 345 on all hubs",
  );
});

Deno.test("drawView() never draws more rows or columns than there are", () => {
  const channels = Array.from({ length: 30 }, (_, n) => ({
    kind: "live" as const,
    channel: `channel_${n}`,
    data: "日本".repeat(60),
    cachedAt: 1,
    ageMs: 0,
  }));
  for (const columns of [1, 10, 33, 80]) {
    for (const rows of [1, 2, 5, 24]) {
      const lines = drawView({ ...MODEL, channels }, { columns, rows }, PLAIN);
      assert(lines.length <= rows);
      for (const line of lines) assertEquals(fit(line, columns), line);
    }
  }
  const lines = drawView({ ...MODEL, channels }, { columns: 80, rows: 24 }, PLAIN);
  assertMatch(lines.join("\n"), /… \d+ more\n─+\n10:00:00 old\n10:00:01 new$/);
});

Deno.test("C41: compact() shows a value in few words, and numbers as they are", () => {
  assertEquals(
    compact({ a: 18243.55, b: "x y", c: [1, 2], d: { e: 1 }, f: null }),
    [
      "a=18243.55",
      'b="x y"',
      "c=[1 2]",
      "d={1}",
      "f=null",
    ].join(" "),
  );
  assertEquals(compact([1, "a"]), "[1 a]");
  assertEquals(compact([{}, {}]), "[2]");
  assertEquals(compact({}), "{}");
  assertEquals(compact({ "\x1b": 1 }), "\\u001b=1");
});

Deno.test("printable() lets no text move a cursor or turn the writing around", () => {
  assertEquals(printable("a\x1b[2Jb\nc\u202ed\x9b"), "a\\u001b[2Jb\\u000ac\\u202ed\\u009b");
  assertEquals(printable("naïve 日本 😀"), "naïve 日本 😀");
  assertEquals(printable(undefined), "undefined");
});

Deno.test("fit() and column() count cells, not characters", () => {
  assertEquals(fit("日本語", 6), "日本語");
  assertEquals(fit("日本語", 5), "日本…");
  assertEquals(fit("日本語", 4), "日…");
  assertEquals(fit("abc", 0), "");
  assertEquals(column("日", 4), "日  ");
});

Deno.test("age() tells an age in its two largest units", () => {
  assertEquals([0, 999, 59_999, 61_000, 3_660_000, 90_000_000].map(age), [
    "0s",
    "0s",
    "59s",
    "1m01s",
    "1h01m",
    "1d01h",
  ]);
});

Deno.test("styleFor() colours only a terminal that can, unless NO_COLOR is set", () => {
  const isTerminal = true;
  assertEquals(styleFor({ isTerminal }, {})("red", "x"), "\x1b[31mx\x1b[39m");
  assertEquals(styleFor({ isTerminal }, { NO_COLOR: "" })("red", "x"), "\x1b[31mx\x1b[39m");
  assertEquals(styleFor({ isTerminal }, { NO_COLOR: "0" })("red", "x"), "x");
  assertEquals(styleFor({ isTerminal }, { TERM: "dumb" })("red", "x"), "x");
  assertEquals(styleFor({ isTerminal: false }, {})("red", "x"), "x");
});

Deno.test("holdfast watch ends with 0 on SIGINT, with 2 on a URL that is none", async () => {
  await using hub = new ScriptedHub();
  const child = spawn([...command("watch", hub.url, "--json")]);
  const output = child.output();
  await hub.arrival();
  const connection = hub.connections[0];
  connection?.status("system_status", 1, 1);
  // The frame may not have been written yet, but the signal is listened for by now.
  child.kill("SIGINT");
  const { code, stdout } = await output;
  assertEquals(code, 0);
  for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
    if (line !== "") JSON.parse(line);
  }
  const ended = await runHoldfast(["watch", "ftp://x"]);
  assertEquals([ended.code, ended.stdout], [2, ""]);
  assertMatch(ended.stderr, /^holdfast: URL: .*scheme/);
});
