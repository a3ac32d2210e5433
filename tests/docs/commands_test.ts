import type { App } from "../../src/server/app.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { startApp } from "../support/hub_in_process.ts";
import { PATIENCE_MS, Watched, within } from "../support/until.ts";
import { documents } from "./documents.ts";
import { type Command, commandsIn, fencedBlocks } from "./fenced_blocks.ts";
import { hasProgram } from "./programs.ts";
import { Sandbox } from "./sandbox.ts";

/** Commands that are not run here, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "npx --yes deno@2.9.6 task test": "it would run this test",
  "deno task compile": "it needs a runtime to embed; tests/scripts/compile_test.ts runs it",
  "deno run --allow-net jobs.ts": "a file of the reader's; tests/docs/tutorial_test.ts runs it",
  "deno run --allow-net ticker.ts": "a file of the reader's; tests/docs/examples_test.ts runs it",
  "deno run --allow-all scripts/measure_clients.ts --clients 1000": "half a minute of load",
  "deno run --allow-all scripts/measure_workers.ts --clients 3000 --workers 1,2 --rounds 5":
    "ten minutes of load",
  "HOLDFAST_TEST_STALLED_CLIENTS=60 deno task test tests/load/large_value_test.ts":
    "half a minute of load",
};

/** What the commands of a document have put on the server, with its permissions. */
const LEFT_BEHIND: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "docs/operations.md": {
    "/usr/local/bin/holdfast": 0o755,
    "/etc/systemd/system/holdfast.service": 0o644,
    "/etc/holdfast/holdfast.jsonc": 0o644,
    "/etc/holdfast/credentials/DASH_TOKEN": 0o600,
    "/etc/nginx/conf.d/holdfast.conf": 0o644,
    "/etc/prometheus/rules/holdfast.yml": 0o644,
  },
};

/** What is shortened, so that nobody has to wait: the same command with another figure. */
const SHORTENED: readonly (readonly [from: RegExp, to: string])[] = [
  [/--for \d+[smh]/, "--for 1s"],
  [/--clients \d+/, "--clients 5"],
  [/^holdfast bench (?!.*--for)\S+/, "$& --for 1s"],
];

/** Where the documents' hub is. */
const HUB = /\bhttps?:\/\/(?:127\.0\.0\.1:8787|hub\.example\.com)(?![\w.:])/g;

/** Commands that start a hub and run until they are interrupted. */
const SERVES = /\btask (?:start|demo)\b|^holdfast (?:serve|demo)\b/;

/** Commands for a hub that takes publications, which takes a token. */
const PUBLISHES = /\bholdfast publish\b/;

const TOKEN = "publisher-secret-0123456789";

/** Commands that listen to a hub until they are interrupted. */
const LISTENS = /^holdfast watch\b/;

const all = [...documents()].map(([name, text]) => ({ name, commands: commandsIn(name, text) }));

/** A hub for commands that ask one; paces are quick, as the commands wait for rounds. */
function liveHub(): Promise<App> {
  return startApp({
    backends: { host: { transport: "host" } },
    sources: [
      { channel: "system_status", backend: "host", method: "GetSystemStatus", every: "500ms" },
      { channel: "storage_update", backend: "host", method: "GetStorage", every: "500ms" },
    ],
    hub: { heartbeat_every: "1s" },
  });
}

for (const { name, commands } of all.filter(({ commands }) => commands.length > 0)) {
  const needed = ["npx", "curl", "openssl", "jq", "nats-server"].filter((program) =>
    commands.some(({ text }) => text.split(/[\s']+/).includes(program))
  );
  Deno.test({
    name: `the commands of ${name} do what they should`,
    ignore: needed.map((program) => hasProgram(program, program)).includes(false),
    fn: async (t) => {
      await using sandbox = await Sandbox.make();
      for (const { language, code } of fencedBlocks(documents().get(name) ?? "")) {
        const [, file] = /^(?:\/\/|#) ([\w.-]+\.(?:jsonc|conf))\b/.exec(code) ?? [];
        if (/^(jsonc|conf)$/.test(language) && file) await sandbox.write(file, code);
      }
      await using hub = await liveHub();
      for (const command of commands.filter(({ text }) => !Object.hasOwn(NOT_RUN, text))) {
        await t.step(`${command.place} ${command.text}`, () => tryOut(command, { sandbox, hub }));
      }
      for (const [path, mode] of Object.entries(LEFT_BEHIND[name] ?? {})) {
        await t.step(`${path} is there`, async () => {
          assertEquals(await sandbox.modeOf(path), mode);
        });
      }
    },
  });
}

Deno.test("NOT_RUN names only commands that the documents have", () => {
  const texts = all.flatMap(({ commands }) => commands.map(({ text }) => text));
  for (const text of Object.keys(NOT_RUN)) assert(texts.includes(text), text);
  assert(texts.length > Object.keys(NOT_RUN).length + 20, String(texts.length));
});

interface Surroundings {
  sandbox: Sandbox;
  hub: App;
}

async function tryOut({ text }: Command, { sandbox, hub }: Surroundings): Promise<void> {
  if (PUBLISHES.test(text)) return await tryPublishing(text, sandbox);
  let command = text.replace(HUB, hub.url);
  for (const [from, to] of SHORTENED) command = command.replace(from, to);
  if (SERVES.test(command)) return await interrupted(sandbox.spawn(command), probeServer);
  if (LISTENS.test(command)) {
    const comes = () => eventually("the client came", () => hub.hub.size > 0);
    await interrupted(sandbox.spawn(command), comes);
    return await eventually("the client went", () => hub.hub.size === 0);
  }
  const { code, stdout, stderr } = await sandbox.run(command);
  assertEquals(code, 0, `${stdout}\n${stderr}`);
}

async function tryPublishing(text: string, sandbox: Sandbox): Promise<void> {
  await using hub = await startApp({
    auth: { tokens: [{ name: "cron", token: TOKEN, publish: true }] },
    shutdown: { drain: "10ms" },
  });
  const command = `export HOLDFAST_TOKEN=${TOKEN}; ${text.replace(HUB, hub.url)}`;
  const { code, stdout, stderr } = await sandbox.run(command);
  assertEquals(code, 0, `${stdout}\n${stderr}`);
  assertStringIncludes(stdout, "seq");
}

/** The text of a process so far. */
type Output = Watched & { text: string };

/** Runs until `isAtWork` resolves, then presses Ctrl-C; it must end by itself. */
async function interrupted(
  child: Deno.ChildProcess,
  isAtWork: (output: Output) => Promise<unknown>,
): Promise<void> {
  const output = Object.assign(new Watched(), { text: "" });
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output.text += text;
      output.changed();
    }
  });
  try {
    await isAtWork(output);
    Deno.kill(-child.pid, "SIGINT");
    await within(child.status, { timeoutMs: PATIENCE_MS, explain: () => "it did not end" });
  } finally {
    try {
      Deno.kill(-child.pid, "SIGKILL");
    } catch {
      // All of the group have gone.
    }
    await Promise.all([child.status, ...reading]);
  }
}

/** Waits until the hub tells where it listens, and asks there. */
async function probeServer(output: Output): Promise<void> {
  const url = await output.until(
    () => /http:\/\/127\.0\.0\.1:\d+(?=["/\s])/.exec(output.text)?.[0],
    {
      timeoutMs: 60_000,
      explain: () => `no hub: ${output.text}`,
    },
  );
  const response = await fetch(new URL("/healthz", url));
  assertStringIncludes(await response.text(), "ok");
  assertEquals(response.status, 200);
}
