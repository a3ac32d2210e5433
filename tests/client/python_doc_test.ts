import { assertEquals } from "../support/assert.ts";
import { hasPythonModule, PYTHON } from "../support/python.ts";
import { fencedBlocks } from "../docs/fenced_blocks.ts";
import { ScriptedHub } from "../support/scripted_hub.ts";
import { PATIENCE_MS, Watched, within } from "../support/until.ts";

const GUIDE = fencedBlocks(
  await Deno.readTextFile(new URL("../../docs/python.md", import.meta.url)),
);

/** The lines a program of the document prints, each waited for in turn. */
class Printed extends Watched implements AsyncDisposable {
  #text = "";
  #at = 0;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;

  constructor(folder: string, url: string) {
    super();
    this.#child = new Deno.Command(PYTHON, {
      args: ["watch.py", url],
      cwd: folder,
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = Promise.all([this.#child.stdout, this.#child.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        this.#text += text;
        this.changed();
      }
    }));
  }

  async line(pattern: RegExp): Promise<void> {
    const found = await this.until(() => pattern.exec(this.#text.slice(this.#at)) ?? undefined, {
      timeoutMs: PATIENCE_MS,
      explain: () => `nothing like ${pattern} in ${this.#text.slice(this.#at)}`,
    });
    this.#at += found.index + found[0].length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    await Promise.all([this.#child.status, this.#reading]);
  }
}

Deno.test({
  name: "docs/python.md: the client shows values and events, goes stale, comes back and resumes",
  ignore: !hasPythonModule("websockets"),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
    try {
      for (const { language, code } of GUIDE) {
        const [, file] = /^# (\w+\.py)$/m.exec(code) ?? [];
        if (language === "python" && file) await Deno.writeTextFile(`${folder}/${file}`, code);
      }
      await using hub = new ScriptedHub({ script: () => {} });
      await using printed = new Printed(folder, hub.url);
      const first = await within(hub.arrival(), { explain: () => "no client came" });
      first.welcome();
      first.status("queue_status", { jobs: 3, serial: 1764000000123 }, 1);
      await printed.line(/^queue_status live 0s \{'jobs': 3, 'serial': 1764000000123\}$/m);
      first.send("notification", { title: "hello" }, 2);
      await printed.line(/^event \{'title': 'hello'\}$/m);
      const error = { code: "RPC_UNAVAILABLE", message: "old", details: "connection refused" };
      const stale = { data: { jobs: 3 }, is_stale: true, cached_at: 1, age_ms: 61_000, error };
      first.send("queue_status", stale, 3);
      await printed.line(/^queue_status STALE \(connection refused\) 61s/m);
      await first.close(1011, "by accident");
      await printed.line(/^queue_status STALE \(the hub cannot be reached\) 6\ds/m);
      const second = await within(hub.arrival(), { explain: () => "no client came" });
      const { session, epoch, since } = second.query;
      assertEquals([typeof session, typeof epoch, since], ["string", "string", "2"]);
      second.welcome({ recovered: false, gap: true });
      await printed.line(/^some events were missed$/m);
      second.status("queue_status", { jobs: 4 }, 9);
      await printed.line(/^queue_status live 0s \{'jobs': 4\}$/m);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
