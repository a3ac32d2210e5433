import { CLIENT_JS, CLIENT_TYPES, PAGE_HTML } from "../../../src/page/built.ts";
import { PAGE_POLICY } from "../../../src/page/page.ts";
import { assert, assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { startApp } from "../../support/hub_in_process.ts";

const GUARDED = {
  sources: [],
  shutdown: { drain: "10ms" },
  auth: { tokens: [{ name: "a", token: "s3cret", channels: ["*"], publish: false }] },
};

Deno.test("GET / gives the page under a strict policy", async () => {
  await using app = await startApp({ sources: [], shutdown: { drain: "10ms" } });
  const response = await fetch(app.url);
  assertEquals([response.status, await response.text()], [200, PAGE_HTML]);
  const { headers } = response;
  assertEquals(headers.get("content-type"), "text/html; charset=utf-8");
  assertEquals(headers.get("content-security-policy"), PAGE_POLICY);
  assertEquals(headers.get("x-content-type-options"), "nosniff");
  assertEquals(headers.get("referrer-policy"), "no-referrer");
});

Deno.test("C41: GET / is open, and without the token that the hub wants the page asks for it", async () => {
  await using app = await startApp(GUARDED);
  for (const path of ["/", "/?token=wrong"]) {
    const response = await fetch(`${app.url}${path}`);
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-security-policy"), PAGE_POLICY);
    assertStringIncludes(await response.text(), `<body data-token="wanted">`);
  }
  const headers = { authorization: "Bearer s3cret" };
  const response = await fetch(app.url, { headers });
  assertEquals([response.status, await response.text()], [200, PAGE_HTML]);
});

Deno.test("GET /client.js and /client.d.ts need no token", async () => {
  await using app = await startApp(GUARDED);
  const module = await fetch(`${app.url}/client.js`);
  assertEquals([module.status, await module.text()], [200, CLIENT_JS]);
  assertEquals(module.headers.get("content-type"), "text/javascript; charset=utf-8");
  assertEquals(module.headers.get("x-typescript-types"), "./client.d.ts");
  const types = await fetch(`${app.url}/client.d.ts`);
  assertEquals([types.status, await types.text()], [200, CLIENT_TYPES]);
});

Deno.test("/client.js imported from a hub by a Deno program has its types", async () => {
  await using app = await startApp({ sources: [], shutdown: { drain: "10ms" } });
  const directory = await Deno.makeTempDir({ prefix: "holdfast-import-" });
  try {
    const program = (name: string) => `
      import { type ChannelState, HoldfastClient } from "${app.url}/client.js";
      await using client = new HoldfastClient("${app.url}");
      const session: ${name} = (await client.opened()).session;
      const state: ChannelState = client.read("system_status");
      console.log(typeof session, state.kind);
    `;
    await Deno.writeTextFile(`${directory}/good.ts`, program("string"));
    await Deno.writeTextFile(`${directory}/bad.ts`, program("number"));
    const run = (file: string) => {
      const { host } = new URL(app.url);
      const args = ["run", "--check", `--allow-import=${host}`, "--allow-net", "--no-lock", file];
      // A cache of its own: nothing of a hub under test is to stay behind.
      const env = { NO_COLOR: "1", DENO_DIR: `${directory}/cache` };
      return new Deno.Command(Deno.execPath(), { args, cwd: directory, env }).output();
    };
    const decoder = new TextDecoder();
    const good = await run("good.ts");
    assert(good.success, decoder.decode(good.stderr));
    assertEquals(decoder.decode(good.stdout), "string never_seen\n");
    const bad = await run("bad.ts");
    assertStringIncludes(decoder.decode(bad.stderr), "Type 'string' is not assignable");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
