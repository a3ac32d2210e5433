import { parse } from "jsonc-parser";
import { HoldfastClient } from "../../src/client/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { freePort } from "../support/free_port.ts";
import { startApp } from "../support/hub_in_process.ts";
import { within } from "../support/until.ts";
import { documents } from "./documents.ts";
import { fencedBlocks } from "./fenced_blocks.ts";
import { substitute } from "./substitute.ts";

const GUIDE = fencedBlocks(documents().get("docs/tutorial.md") ?? "");

function file(name: string): string {
  const block = GUIDE.find(({ code }) => code.startsWith(`// ${name}\n`));
  assert(block, `no ${name}`);
  return block.code;
}

/** The tutorial's service, on a port of the test's. */
async function service(folder: string, port: number): Promise<AsyncDisposable> {
  const path = `${folder}/jobs.ts`;
  await Deno.writeTextFile(path, substitute(file("jobs.ts"), { "port: 9292": `port: ${port}` }));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "--allow-net", path],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

Deno.test("docs: the tutorial's page is live, says when its service is gone, and is live again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  const port = freePort();
  const config = parse(substitute(file("tutorial.jsonc"), {
    "127.0.0.1:9292": `127.0.0.1:${port}`,
    '"2s"': '"100ms"',
  }));
  config.backends.jobs.breaker = { open_for: "300ms" };
  config.backends.jobs.retry = { attempts: 1 };
  config.backends.jobs.health_check = { every: "200ms" };
  let running: AsyncDisposable | undefined = await service(folder, port);
  try {
    await using app = await startApp({
      ...config,
      listen: "127.0.0.1:0",
      shutdown: { drain: "10ms" },
    });
    // What the page does, on an element of the test's.
    const shown = { textContent: "", className: "", title: "" };
    const states: string[] = [];
    const page = substitute(file("after.js"), {
      'import { HoldfastClient } from "http://127.0.0.1:8787/client.js";\n': "",
      '"http://127.0.0.1:8787"': JSON.stringify(app.url),
      "const client =": "client =",
    });
    const clients: HoldfastClient[] = [];
    const Client = class extends HoldfastClient {
      constructor(...args: ConstructorParameters<typeof HoldfastClient>) {
        super(...args);
        clients.push(this);
      }
    };
    const document = {
      querySelector: () =>
        new Proxy(shown, {
          set(target, name, value) {
            if (name === "className" && states.at(-1) !== value) states.push(value);
            return Reflect.set(target, name, value);
          },
        }),
    };
    const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
    const script = new AsyncFunction("HoldfastClient", "document", `let client; ${page}`);
    const showing = script(Client, document);
    const shows = async (state: string, from: number) => {
      const look = async () => {
        while (!states.slice(from).includes(state)) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      await within(look(), { explain: () => `no ${state} in ${states.slice(from)}` });
      return states.length;
    };
    let seen = await shows("live", 0);
    assertStringIncludes(shown.textContent, " waiting");
    await running[Symbol.asyncDispose]();
    running = undefined;
    seen = await shows("stale", seen);
    assertStringIncludes(shown.textContent, " waiting");
    running = await service(folder, port);
    await shows("live", seen);
    await clients[0]?.close();
    await showing;
    assertEquals(clients.length, 1);
  } finally {
    await running?.[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
