import { DEFAULT_CONFIG } from "../../src/config/default.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { startApp } from "../support/hub_in_process.ts";
import { fencedBlocks } from "./fenced_blocks.ts";
import { hasProgram } from "./programs.ts";

const TOKEN = "publisher-secret-0123456789";

Deno.test({
  name: "docs: what docs/http.md says a hub answers is what it answers",
  ignore: !hasProgram("curl", "curl"),
  fn: async (t) => {
    await using app = await startApp({
      ...DEFAULT_CONFIG,
      listen: "127.0.0.1:0",
      auth: { tokens: [{ name: "all", token: TOKEN, publish: true }] },
    });
    for (;;) { // until every source was tried
      const ready = await fetch(`${app.url}/readyz`);
      await ready.body?.cancel();
      if (ready.status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const page = new URL("../../docs/http.md", import.meta.url);
    const blocks = fencedBlocks(await Deno.readTextFile(page));
    const asked = blocks.filter(({ language }) => language === "sh");
    assert(asked.length >= 6, "there are examples to try");
    for (const block of asked) {
      const next = blocks[blocks.indexOf(block) + 1];
      await t.step(block.code.trim(), async () => {
        const text = await run(withToken(block.code.replaceAll("http://127.0.0.1:8787", app.url)));
        if (next?.language !== "json") {
          return assert(text.includes(`data: {"type":"welcome"`), text);
        }
        const answer = JSON.parse(text);
        assertEquals(within(answer, JSON.parse(next.code)), [], text);
      });
    }
  },
});

/** The command as somebody with a token would give it. */
function withToken(command: string): string {
  if (command.includes("Authorization")) return command;
  return command.replace("curl ", `curl -H "Authorization: Bearer $TOKEN" `);
}

async function run(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script],
    env: { TOKEN },
    stdout: "piped",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

/** What is documented and not answered, or of another kind; more may be answered. */
function within(answer: unknown, documented: unknown, path = ""): string[] {
  if (path.endsWith(".data")) return []; // whatever a backend gives
  if (documented === null || answer === null) return [];
  if (Array.isArray(answer) && answer.length === 0) return []; // of what has not happened here
  if (typeof documented !== typeof answer) return [`${path}: ${typeof answer}`];
  if (typeof documented !== "object") return [];
  // An example shows what a list holds; there may be nothing to list just now.
  if (Array.isArray(answer) && answer.length === 0) return [];
  return Object.entries(documented).flatMap(([key, member]) =>
    within((answer as Record<string, unknown>)[key], member, `${path}.${key}`)
  );
}
