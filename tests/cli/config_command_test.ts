import { join } from "node:path";
import {
  checkConfig,
  type ConfigIo,
  printExample,
  printSchema,
} from "../../src/cli/config_command.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** An io that remembers what was written. */
function record(env: Record<string, string> = {}): ConfigIo & { outs: string[]; errs: string[] } {
  const outs: string[] = [];
  const errs: string[] = [];
  return { outs, errs, env, out: (line) => outs.push(line), err: (line) => errs.push(line) };
}

async function withFiles<Name extends string>(
  files: Record<Name, string>,
  body: (paths: Record<Name, string>) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "holdfast-config-" });
  try {
    const paths: Record<string, string> = {};
    for (const [name, text] of Object.entries<string>(files)) {
      paths[name] = join(directory, `${name}.jsonc`);
      await Deno.writeTextFile(join(directory, `${name}.jsonc`), text);
    }
    await body(paths);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const GOOD = `{
  "listen": "0.0.0.0:8787",
  "backends": { "core": { "transport": "json-rpc", "url": "http://127.0.0.1:9090/rpc" } },
  "sources": [{ "channel": "system_status", "backend": "core", "method": "Get" }],
  "auth": { "tokens": [{ "name": "a", "token": "\${DASH_TOKEN}" }] }
}`;

Deno.test("checkConfig() sums up a good file and returns 0", async () => {
  await withFiles({ hub: GOOD }, async ({ hub }) => {
    const io = record({ DASH_TOKEN: "hunter2" });
    assertEquals(await checkConfig(hub, io), 0);
    assertEquals(io.outs, [
      `${hub}: ok`,
      "  listen: 0.0.0.0:8787",
      "  backends: 1: core (json-rpc)",
      "  sources: 1: system_status <- core",
      "  auth: on, 1 token",
      "  origins: same origin only",
      "  note: tls: none, so that tokens travel unencrypted unless a proxy adds it",
      '  note: auth.tokens: the token "a" has fewer than 16 characters',
    ]);
    assertEquals(io.errs, []);
  });
});

Deno.test("checkConfig() tells every problem on standard error and returns 2", async () => {
  const bad = `{ "listen": 1, "hub": { "max_clients": 0 }, "log": { "level": "\${LEVEL}" } }`;
  await withFiles({ hub: bad }, async ({ hub }) => {
    const io = record();
    assertEquals(await checkConfig(hub, io), 2);
    assertEquals(io.outs, []);
    assertEquals(io.errs.map((line) => line.split("; ")[0]), [
      `${hub}: log.level: found \${LEVEL}, which is not set`,
      `${hub}: listen: found 1`,
      `${hub}: hub.max_clients: found 0`,
      `${hub}: 3 problems`,
    ]);
  });
});

Deno.test("checkConfig() returns 2 for a file that is not there", async () => {
  const io = record();
  assertEquals(await checkConfig("no/such.jsonc", io), 2);
  assertEquals(io.errs, [
    "no/such.jsonc: found no such file; expected a file that can be read",
    "no/such.jsonc: 1 problem",
  ]);
});

Deno.test("checkConfig() sums up a cluster without its password", async () => {
  const nats = '["nats://hub:${NATS_PASSWORD}@127.0.0.1:4222", "nats://127.0.0.1:4223"]';
  const text = `{ "cluster": { "nats": ${nats}, "share_port": true } }`;
  await withFiles({ hub: text }, async ({ hub }) => {
    const io = record({ NATS_PASSWORD: "hunter2" });
    assertEquals(await checkConfig(hub, io), 0);
    assertEquals(
      io.outs.at(-1),
      "  cluster: holdfast, over nats://127.0.0.1:4222, nats://127.0.0.1:4223; the port is shared",
    );
    assertEquals(io.outs.join().includes("hunter2"), false);
  });
});

Deno.test("checkConfig() says that the authority of tls:// servers must be there", async () => {
  const text = (ca: string) => `{ "cluster": { "nats": "tls://127.0.0.1", "ca": "${ca}" } }`;
  await withFiles({ hub: text("no/ca.pem"), wrong: text("wrong.jsonc") }, async (files) => {
    const io = record();
    assertEquals(await checkConfig(files.hub, io), 2);
    assertEquals(await checkConfig(files.wrong, io), 2);
    const expected = "expected the path of a file that holds a certificate";
    assertEquals(io.errs.filter((line) => line.includes("cluster.ca")), [
      `${files.hub}: cluster.ca: found a file that cannot be read (NotFound); ${expected}`,
      `${files.wrong}: cluster.ca: found a file without a certificate; ${expected}`,
    ]);
  });
});

Deno.test("checkConfig() takes no flag's or variable's part", async () => {
  await withFiles({ hub: "{}" }, async ({ hub }) => {
    const io = record({ HOLDFAST_LISTEN: "nonsense", HOLDFAST_TOKEN: "t0ken" });
    assertEquals(await checkConfig(hub, io), 0);
    assert(io.outs.includes("  auth: off, open to whoever can connect"), io.outs.join("\n"));
  });
});

Deno.test("checkConfig() tells what a reload would change", async () => {
  const next = GOOD.replace(":8787", ":8788").replace(`"Get"`, `"Get", "every": "1s"`);
  await withFiles({ now: GOOD, next, broken: "{" }, async ({ now, next, broken }) => {
    const io = record({ DASH_TOKEN: "hunter2" });
    assertEquals(await checkConfig(next, io, { against: now }), 0);
    assertEquals(io.outs.slice(-4), [
      `a reload from ${now} would change`,
      "  sources.system_status.every: 5s -> 1s",
      `only a restart from ${now} would change`,
      '  listen: "0.0.0.0:8787" -> "0.0.0.0:8788"',
    ]);
    assertEquals(await checkConfig(now, io, { against: now }), 0);
    assertEquals(io.outs.at(-1), `no change from ${now}`);
    assertEquals(await checkConfig(now, io, { against: broken }), 2);
  });
});

Deno.test("printExample() prints what checkConfig() accepts", async () => {
  const io = record();
  assertEquals(printExample(io), 0);
  await withFiles({ example: io.outs.join("\n") }, async ({ example }) => {
    assertEquals(await checkConfig(example, record()), 0);
  });
});

Deno.test("printSchema() prints a JSON Schema", () => {
  const io = record();
  assertEquals(printSchema(io), 0);
  assertEquals(JSON.parse(io.outs.join("\n")).title, "Holdfast configuration");
});
