import { assert, assertEquals } from "../support/assert.ts";
import { DEVELOPMENT_LOCK_FLAG } from "../support/command_line.ts";
import { ScriptedHub } from "../support/scripted_hub.ts";

const document = new URL("../../docs/client.md", import.meta.url);
const config = new URL("../../deno.json", import.meta.url);
const client = new URL("../../src/client/mod.ts", import.meta.url);

/** The document's examples, made to import the source and locked packages, and to speak to `url`. */
async function examples(url: string): Promise<string[]> {
  const text = await Deno.readTextFile(document);
  const { scopes } = JSON.parse(await Deno.readTextFile(config));
  const { ws } = scopes["./tests/"] as { ws: string };
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = ""]) =>
    code.replace(/(?<=from ")[^"]*client\.js(?=")/, client.href)
      .replace(/(?<=from ")ws(?=")/, ws)
      .replaceAll("http://127.0.0.1:8787", url)
  );
}

async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

Deno.test("the examples of docs/client.md type-check and do what they say", async () => {
  await using hub = new ScriptedHub({
    script: (connection) => {
      connection.welcome();
      connection.status("system_status", { hostname: "box" }, 1);
      connection.send("notification", { title: "hello" }, 2);
    },
  });
  const directory = await Deno.makeTempDir();
  try {
    const files: string[] = [];
    for (const [index, code] of (await examples(hub.url)).entries()) {
      const file = `${directory}/example_${index}.ts`;
      await Deno.writeTextFile(file, code);
      files.push(file);
    }
    const options = ["--quiet", `--config=${config.pathname}`, DEVELOPMENT_LOCK_FLAG];
    await deno("check", ...options, ...files);
    const outputs = await Promise.all(
      files.map((file) => deno("run", ...options, "--no-check", "--allow-all", file)),
    );
    const [onDeno = "", onNode = "", inBrowser = ""] = outputs;
    assertEquals(outputs.length, 3);
    assertEquals(onDeno.trim().split("\n").at(-1), 'live { hostname: "box" }');
    assertEquals(onNode, "hello\n");
    assertEquals(inBrowser.split("\n")[0]?.startsWith("session-1"), true);
    assertEquals(hub.connections.length, 3);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
