// Named so that they are installed; the bundles take their files.
import "react";
import "react-dom";
import "scheduler";
import "vue";
import * as esbuild from "esbuild";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { compile as compileSvelte } from "svelte/compiler";
import { HoldfastClient } from "../../src/client/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { Chromium, hasChromium } from "../support/browser.ts";
import { fencedBlocks } from "../docs/fenced_blocks.ts";
import { type ScriptedConnection, ScriptedHub } from "../support/scripted_hub.ts";

const GUIDE = fencedBlocks(
  await Deno.readTextFile(new URL("../../docs/client.md", import.meta.url)),
);

/** A recipe of docs/client.md, by the comment that it begins with. */
function recipe(file: string): string {
  const block = GUIDE.find(({ code }) =>
    code.startsWith(`// ${file}`) || code.startsWith(`<!-- ${file}`)
  );
  assert(block, `docs/client.md has no ${file}`);
  return block.code;
}

const CLIENT = new URL("../../src/client/mod.ts", import.meta.url).pathname;

const here = (name: string) => new URL(import.meta.resolve(name)).pathname;

/**
 * Svelte's browser side, which is chosen by a condition that is not Deno's, what the recipe's
 * component is compiled to, and packages that Svelte's own code asks for.
 */
const SVELTE: esbuild.Plugin = {
  name: "svelte",
  setup(build) {
    const sources = dirname(here("svelte"));
    build.onResolve({ filter: /^svelte(\/|$)/ }, ({ path }) => {
      const stem = `${sources}${path.slice("svelte".length)}`;
      const file = [`${stem}/index-client.js`, `${stem}/index.js`, `${stem}.js`].find(isFile);
      assert(file, `svelte has no ${path}`);
      return { path: file };
    });
    build.onResolve({ filter: /^(clsx|esm-env)(\/|$)/ }, ({ path, importer }) => ({
      path: createRequire(importer).resolve(path),
    }));
    build.onResolve({ filter: /^\.\/(Disk\.svelte|svelte\.js)$/ }, ({ path }) => ({
      path,
      namespace: "recipe",
    }));
    build.onLoad({ filter: /./, namespace: "recipe" }, ({ path }) => {
      const file = path.slice("./".length);
      const contents = file.endsWith(".js")
        ? recipe(file).replace("/client.js", CLIENT)
        : compileSvelte(recipe(file), { generate: "client" }).js.code;
      return { contents, loader: "js", resolveDir: "/" };
    });
  },
};

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A page's script of a recipe and what uses it; packages come from where Deno keeps them. */
async function bundle(code: string): Promise<string> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: code.replace("/client.js", CLIENT), loader: "jsx", resolveDir: "/" },
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": `"production"` },
    tsconfigRaw: {},
    logLevel: "silent",
    plugins: [SVELTE],
    alias: {
      "react": dirname(here("react")),
      "react-dom": dirname(here("react-dom")),
      "scheduler": dirname(here("scheduler")),
      "vue": `${dirname(here("vue"))}/dist/vue.esm-browser.prod.js`,
    },
  });
  await esbuild.stop();
  return outputFiles?.[0]?.text ?? "";
}

const USES: Readonly<Record<string, string>> = {
  "react.jsx": `
    import { createRoot } from "react-dom/client";
    let renders = 0;
    function Counted() { renders += 1; globalThis.renders = renders; return <Disk />; }
    createRoot(document.querySelector("main")).render(<Counted />);`,
  "vue.js": `
    import { createApp, h } from "vue";
    createApp({
      setup() {
        const state = useChannel("storage_update");
        return () => state.value.kind === "never_seen"
          ? h("p", "no value: " + state.value.why)
          : h("p", { class: state.value.kind }, state.value.data.free + " free");
      },
    }).mount("main");`,
  "Disk.svelte": `
    import { mount } from "svelte";
    import Disk from "./Disk.svelte";
    mount(Disk, { target: document.querySelector("main") });`,
};

for (const [file, use] of Object.entries(USES)) {
  Deno.test({
    name: `C35: the recipe ${file} of docs/client.md shows a channel live, stale and live again`,
    ignore: !hasChromium(),
    fn: async () => {
      // A component is no script: what uses it imports it.
      const script = await bundle(file.endsWith(".svelte") ? use : `${recipe(file)}\n${use}`);
      await using hub = new ScriptedHub({
        script: () => {},
        door: (request) => {
          const { pathname } = new URL(request.url);
          if (pathname === "/page") {
            return new Response(
              `<!doctype html><main></main><script type="module" src="/page.js"></script>`,
              { headers: { "content-type": "text/html" } },
            );
          }
          if (pathname !== "/page.js") return undefined;
          return new Response(script, { headers: { "content-type": "text/javascript" } });
        },
      });
      await using chromium = await Chromium.start();
      const page = await chromium.open(`${hub.url}/page`);
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      const shows = (kind: string, text: string) =>
        page.waitForFunction(
          `document.querySelector("main p.${kind}")?.textContent === ${JSON.stringify(text)}`,
        );
      const first = await hub.arrival();
      await page.waitForFunction(
        `/^no value: /.test(document.querySelector("main p").textContent)`,
      );
      first.welcome();
      first.status("storage_update", { free: 17 }, 1);
      await shows("live", "17 free");
      await first.close(1011, "by accident");
      await shows("stale", "17 free");
      const second: ScriptedConnection = await hub.arrival();
      second.welcome();
      second.status("storage_update", { free: 18 }, 2);
      await shows("live", "18 free");
      assertEquals(faults, []);
    },
  });
}

Deno.test("the recipe svelte.js of docs/client.md keeps the contract of Svelte's stores", async () => {
  await using hub = new ScriptedHub({ script: () => {} });
  const source = recipe("svelte.js")
    .replace("/client.js", new URL("../../src/client/mod.ts", import.meta.url).href)
    .replace("location.origin", JSON.stringify(hub.url)) + "\nexport { client };";
  const file = await Deno.makeTempFile({ suffix: ".mjs" });
  try {
    await Deno.writeTextFile(file, source);
    const { disk, client } = await import(`file://${file}`);
    await using _client = client as HoldfastClient;
    const kinds: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = disk.subscribe((state: { kind: string }) => {
      kinds.push(state.kind);
      if (state.kind === "live") resolve();
    });
    assertEquals(kinds, ["never_seen"], "a store calls at once");
    const connection = await hub.arrival();
    connection.welcome();
    connection.status("storage_update", { free: 1 }, 1);
    await promise;
    end();
    connection.status("storage_update", { free: 2 }, 2);
    await client.close();
    assertEquals(kinds.at(-1), "live", "nothing comes after it has ended");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("channel() is one store a channel, its snapshot one object until something changes", async () => {
  await using hub = new ScriptedHub({ script: () => {} });
  await using client = new HoldfastClient<{ queue: number; disk: string }>(hub.url);
  const store = client.channel("queue");
  assertEquals(client.channel("queue") === store, true);
  const { snapshot, subscribe } = store;
  assertEquals(snapshot() === snapshot(), true);
  const told: unknown[] = [];
  const live = Promise.withResolvers<void>();
  subscribe((state) => {
    told.push(state);
    if (state.kind === "live") live.resolve();
  });
  const connection = await hub.arrival();
  connection.welcome();
  connection.status("queue", 1, 1);
  await live.promise;
  assertEquals(told.at(-1) === snapshot(), true);
  assertEquals(snapshot() === snapshot(), true);
});
