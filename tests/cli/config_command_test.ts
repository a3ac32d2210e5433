import { join } from "node:path";
import {
  checkConfig,
  type ConfigIo,
  printExample,
  printSchema,
} from "../../src/cli/config_command.ts";
import { OLD, RENEWED } from "../support/certificates.ts";
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
      "  state: memory alone, unless systemd gives a folder",
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
      `${hub}:1:13: listen: found 1`,
      `${hub}:1:40: hub.max_clients: found 0`,
      `${hub}:1:63: log.level: found \${LEVEL}, which is not set`,
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
    const what = "a certificate (PEM)";
    assertEquals(io.errs.filter((line) => line.includes("cluster.ca")), [
      `${files.hub}:1:49: cluster.ca: found no such file; expected the path of a file with ${what}, ` +
      "from the configuration's folder",
      `${files.wrong}:1:49: cluster.ca: found a file without ${what}; expected the path of one with ${what}`,
    ]);
  });
});

/** The lines of a check, without the file's name. */
async function complaintsOf(text: string, others: Record<string, string> = {}): Promise<string[]> {
  const directory = await Deno.makeTempDir({ prefix: "holdfast-config-" });
  try {
    for (const [name, content] of Object.entries({ ...others, "hub.jsonc": text })) {
      await Deno.writeTextFile(join(directory, name), content);
    }
    const io = record({ PORT: "http://127.0.0.1:9" });
    const file = join(directory, "hub.jsonc");
    const code = await checkConfig(file, io);
    assertEquals(code, io.errs.length === 0 ? 0 : 2);
    return io.errs.slice(0, -1).map((line) => line.replace(`${file}:`, ""));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("C40: checkConfig() looks whether TLS files are there and belong together", async () => {
  const tls = (cert: string, key: string) =>
    complaintsOf(`{ "tls": { "cert": "${cert}", "key": "${key}" } }`, {
      "a.pem": OLD.cert,
      "a.key": OLD.key,
      "b.key": RENEWED.key,
      "broken.key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
      "broken.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    });
  assertEquals(await tls("a.pem", "a.key"), []);
  assertEquals((await tls("none.pem", "none.key")).map((line) => line.split(";")[0]), [
    "1:20: tls.cert: found no such file",
    "1:39: tls.key: found no such file",
  ]);
  assertEquals(await tls("a.key", "a.pem"), [
    "1:20: tls.cert: found a file without a certificate (PEM); expected the path of one with " +
    "a certificate (PEM)",
    "1:36: tls.key: found a file without a private key (PEM); expected the path of one with " +
    "a private key (PEM)",
  ]);
  const wrong = async (cert: string, key: string) => (await tls(cert, key)).join().split(";")[0];
  assertEquals(
    await wrong("a.pem", "b.key"),
    "1:36: tls.key: found the key of another certificate",
  );
  assertEquals(
    await wrong("a.pem", "broken.key"),
    "1:36: tls.key: found a private key that cannot be read, or one with a password",
  );
  assertEquals(
    await wrong("broken.pem", "a.key"),
    "1:41: tls.key: found a key to a certificate that cannot be read",
  );
});

Deno.test("C32: checkConfig() says once that a file's text stands where its path should, without it", async () => {
  const lines = await complaintsOf(
    JSON.stringify({ tls: { cert: OLD.cert, key: "a.key" } }),
    { "a.key": OLD.key },
  );
  assertEquals(lines, [
    "1:16: tls.cert: found a string; expected a path of a PEM file, not what is in it",
  ]);
});

Deno.test("C40: checkConfig() tells everything at once: repeated keys, variables, settings, names, files, methods", async () => {
  const lines = await complaintsOf(`{
  "listen": "nowhere",
  "log": { "level": "info", "level": "debug" },
  "backends": {
    "jobs": { "transport": "grpc", "url": "http://127.0.0.1:9", "proto": "none.proto" },
    "core": { "transport": "jsonrpc", "url": "\${CORE_URL}", "timout": "soon" }
  },
  "sources": [
    { "channel": "a", "backend": "jobs", "method": "jobs.Jobs/List" },
    { "chanel": "b", "backend": "cor", "method": "m" }
  ],
  "tls": { "cert": "none.pem", "key": "none.key" }
}`);
  assertEquals(lines.map((line) => line.replace(/: found .*/, "")), [
    "2:13: listen",
    "3:29",
    "5:74: backends.jobs.proto",
    "6:28: backends.core.transport",
    "6:46: backends.core.url",
    "6:61: backends.core.timout",
    "6:71: backends.core.timeout",
    "10:7: sources[1].chanel",
    "10:33: sources[1].backend",
    "12:20: tls.cert",
    "12:39: tls.key",
  ]);
});

Deno.test("checkConfig() takes no flag's or variable's part", async () => {
  await withFiles({ hub: "{}" }, async ({ hub }) => {
    const io = record({ HOLDFAST_LISTEN: "nonsense", HOLDFAST_TOKEN: "t0ken" });
    assertEquals(await checkConfig(hub, io), 0);
    assert(io.outs.includes("  auth: off, open to anyone who can connect"), io.outs.join("\n"));
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
