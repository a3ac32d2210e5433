import { parse } from "jsonc-parser";
import { EXIT } from "../../src/cli/io.ts";
import type { App } from "../../src/server/app.ts";
import { runHoldfast } from "../support/command_line.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { freePort } from "../support/free_port.ts";
import { startApp } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { within } from "../support/until.ts";
import { documents } from "./documents.ts";
import { fencedBlocks } from "./fenced_blocks.ts";

const GUIDE = fencedBlocks(documents().get("docs/configuration.md") ?? "");

/** The block of code that begins with this comment. */
function exampleOf(file: string, blocks = GUIDE): string {
  const block = blocks.find(({ code }) => code.startsWith(`// ${file}\n`));
  assert(block, `no ${file}`);
  return block.code;
}

/** A hub with an example's configuration, on a free port, its backends where the test has them. */
function startExample(code: string, places: Record<string, string> = {}): Promise<App> {
  for (const [from, to] of Object.entries(places)) {
    assertStringIncludes(code, from);
    code = code.replaceAll(from, to);
  }
  return startApp({ ...parse(code) as object, listen: "127.0.0.1:0" });
}

/** A channel's snapshot as text, once there is one. */
function snapshotOf(app: App, channel: string, headers: HeadersInit = {}): Promise<string> {
  const look = async () => {
    for (;;) {
      const answer = await fetch(`${app.url}/snapshot/${channel}`, { headers });
      const text = await answer.text();
      if (answer.status === 200) return text;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return within(look(), { explain: () => `no value of ${channel}` });
}

Deno.test("docs: the REST service of docs/configuration.md gives the values that are shown", async () => {
  const [answer = "", shown = ""] = GUIDE.filter(({ language }) => language === "json")
    .map(({ code }) => code);
  const asked: string[] = [];
  await using service = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => {
      asked.push(new URL(url).pathname);
      return new Response(answer);
    },
  );
  const { port } = service.addr;
  await using app = await startExample(exampleOf("rest.jsonc"), {
    "127.0.0.1:9091": `127.0.0.1:${port}`,
  });
  const disks = await snapshotOf(app, "disk_status");
  assertStringIncludes(disks, `"serial":1764000000123456789`);
  const { data, is_stale, ...rest } = JSON.parse(disks);
  const expected = JSON.parse(shown);
  assertEquals([data, is_stale], [expected.data, expected.is_stale]);
  assertEquals(Object.keys(rest), ["cached_at", "age_ms"]);
  assertEquals(
    JSON.parse(await snapshotOf(app, "queue_status")).data,
    JSON.parse(answer).queues,
  );
  assertEquals(new Set(asked), new Set(["/api/status"]));
});

Deno.test("docs: the JSON-RPC example of docs/configuration.md polls both its channels", async () => {
  await using backend = new RpcBackend();
  await using app = await startExample(exampleOf("rpc.jsonc"), {
    "http://127.0.0.1:9090/rpc": backend.url,
  });
  for (const channel of ["system_status", "agent_status"]) {
    assertEquals(JSON.parse(await snapshotOf(app, channel)).is_stale, false);
  }
});

Deno.test("docs: the pushes of docs/configuration.md are taken from whoever may, and shown", async () => {
  const secrets = { JOBS_TOKEN: "jobs-secret-0123456789", DASH_TOKEN: "dash-secret-0123456789" };
  const places = Object.fromEntries(
    Object.entries(secrets).map(([name, secret]) => [`\${${name}}`, secret]),
  );
  await using app = await startExample(exampleOf("push.jsonc"), places);
  const publish = (token: string) =>
    runHoldfast(["publish", app.url, "notification", `{"title":"done"}`, "--token", token], {});
  assertEquals((await publish(secrets.JOBS_TOKEN)).code, EXIT.ok);
  assertEquals((await publish(secrets.DASH_TOKEN)).code, EXIT.failure);
});

Deno.test("docs: the stream of docs/streams.md gives values", async () => {
  const blocks = fencedBlocks(documents().get("docs/streams.md") ?? "");
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  try {
    const program = exampleOf("ticker.ts", blocks);
    assertStringIncludes(program, "port: 9191");
    await Deno.writeTextFile(`${folder}/ticker.ts`, program.replace("9191", String(port)));
    const server = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-net", `${folder}/ticker.ts`],
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await using app = await startExample(exampleOf("ticker.jsonc", blocks), {
        "127.0.0.1:9191": `127.0.0.1:${port}`,
      });
      const { data, is_stale } = JSON.parse(await snapshotOf(app, "ticks"));
      assertEquals([typeof data.n, is_stale], ["number", false]);
    } finally {
      server.kill("SIGKILL");
      await server.status;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("docs: README's first configuration runs as it stands", async () => {
  const blocks = fencedBlocks(documents().get("README.md") ?? "");
  await using app = await startExample(exampleOf("hub.jsonc", blocks));
  const { data } = JSON.parse(await snapshotOf(app, "disk_status"));
  assert(data.length > 0 && data.every((each: { at: string }) => typeof each.at === "string"));
  assert("memory" in JSON.parse(await snapshotOf(app, "system_status")).data);
});
