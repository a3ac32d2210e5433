import { join } from "node:path";
import { DEFAULT_CONFIG } from "../../src/config/default.ts";
import { loadConfig, loadConfigFile, type LoadOptions } from "../../src/config/load.ts";
import { describeProblem } from "../../src/config/problems.ts";
import { MAX_FILE_BYTES } from "../../src/config/read_file.ts";
import type { Config } from "../../src/config/schema.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { configOf } from "./support.ts";

/** A directory that goes with the test. */
async function directory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "holdfast-config-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function write(
  { path }: { path: string },
  name: string,
  content: string | Uint8Array,
): Promise<string> {
  const file = join(path, name);
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(file, bytes);
  return file;
}

async function load(options: LoadOptions): Promise<{ config: Config; source: string }> {
  const loaded = await loadConfig(options);
  assert(loaded.ok, loaded.ok ? "" : loaded.problems.map(describeProblem).join("\n"));
  return loaded;
}

async function problems(options: LoadOptions): Promise<string[]> {
  const loaded = await loadConfig(options);
  return loaded.ok ? [] : loaded.problems.map(describeProblem);
}

Deno.test("loadConfig() falls back on the embedded default", async () => {
  const { config, source } = await load({ env: {} });
  assertEquals(source, "the embedded default");
  assertEquals(config, configOf(DEFAULT_CONFIG));
  assertEquals(config.listen, { hostname: "127.0.0.1", port: 8787 });
  assertEquals(Object.keys(config.backends), ["host"]);
  assertEquals(
    config.sources.map(({ channel, backend, method, every }) => [channel, backend, method, every]),
    [
      ["system_status", "host", "GetSystemStatus", 5000],
      ["storage_update", "host", "GetStorage", 5000],
    ],
  );
});

Deno.test("loadConfig() reads JSON and YAML by the file's ending", async () => {
  await using dir = await directory();
  for (const name of ["a.json", "b.jsonc", "C.JSONC"]) {
    const file = await write(dir, name, `{ "trust_proxy": true /* yes */ }`);
    assertEquals((await load({ file, env: {} })).config.trust_proxy, true);
  }
  for (const name of ["a.yaml", "b.yml"]) {
    const file = await write(dir, name, "trust_proxy: true # yes");
    const { config, source } = await load({ file, env: {} });
    assertEquals([config.trust_proxy, source], [true, file]);
  }
});

Deno.test("loadConfig() prefers flag to environment to file to default", async () => {
  await using dir = await directory();
  const text = `{ "listen": "127.0.0.1:1", "log": { "level": "error", "format": "json" } }`;
  const file = await write(dir, "a.json", text);
  const env = {
    HOLDFAST_LISTEN: "127.0.0.1:2",
    HOLDFAST_LOG_LEVEL: "debug",
    HOLDFAST_LOG_FORMAT: "pretty",
  };
  const flags = { listen: "127.0.0.1:3", logLevel: "warn", logFormat: "json" };
  async function seen(options: LoadOptions) {
    const { listen, log } = (await load(options)).config;
    return [listen.port, log.level, log.format];
  }
  assertEquals(await seen({ env: {} }), [8787, "info", "json"]);
  assertEquals(await seen({ file, env: {} }), [1, "error", "json"]);
  assertEquals(await seen({ file, env }), [2, "debug", "pretty"]);
  assertEquals(await seen({ file, env, flags }), [3, "warning", "json"]);
  assertEquals(await seen({ env, flags: { listen: "[::1]:4" } }), [4, "debug", "pretty"]);
});

Deno.test("loadConfig() takes the file from HOLDFAST_CONFIG unless one is given", async () => {
  await using dir = await directory();
  const [one, two] = [await write(dir, "1.json", "{}"), await write(dir, "2.json", "{}")];
  assertEquals((await load({ env: { HOLDFAST_CONFIG: one } })).source, one);
  assertEquals((await load({ file: two, env: { HOLDFAST_CONFIG: one } })).source, two);
});

Deno.test("loadConfig() takes an empty variable for one that is not set", async () => {
  const env = {
    HOLDFAST_CONFIG: "",
    HOLDFAST_LISTEN: "",
    HOLDFAST_LOG_LEVEL: "",
    HOLDFAST_LOG_FORMAT: "",
    HOLDFAST_TOKEN: "",
  };
  assertEquals((await load({ env })).config, (await load({ env: {} })).config);
});

Deno.test("loadConfig() blames the flag or the variable for its value", async () => {
  const env = { HOLDFAST_LISTEN: "nowhere", HOLDFAST_LOG_LEVEL: "inof" };
  const lines = await problems({ env, flags: { logFormat: "xml" } });
  assertEquals(lines.map((line) => line.slice(0, 42)), [
    'HOLDFAST_LISTEN: found "nowhere"; expected',
    'HOLDFAST_LOG_LEVEL: found "inof"; expected',
    '--log-format: found "xml"; expected one of',
  ]);
});

Deno.test("loadConfig() tells the problems of file, flags and environment together", async () => {
  await using dir = await directory();
  const file = await write(dir, "a.json", `{ "log": 5, "hub": { "max_clients": 0 } }`);
  const env = { HOLDFAST_TOKEN: "two words" };
  const lines = await problems({ file, env, flags: { listen: "x", logLevel: "debug" } });
  assertEquals(lines.map((line) => line.replace(dir.path, "").split("; ")[0]), [
    '--listen: found "x"',
    "/a.json:1:10: log: found 5",
    "/a.json:1:37: hub.max_clients: found 0",
    "HOLDFAST_TOKEN: found a string",
  ]);
});

Deno.test("loadConfig() adds HOLDFAST_TOKEN as a token that may not publish", async () => {
  const { config } = await load({ env: { HOLDFAST_TOKEN: "t0ken" } });
  assertEquals(config.auth.tokens, [
    { name: "env", token: "t0ken", channels: ["*"], publish: false, metrics: false },
  ]);
});

Deno.test("loadConfig() leaves a token its rights that the file names too", async () => {
  await using dir = await directory();
  const text = `{ "auth": { "tokens": [
    { "name": "a", "token": "\${HOLDFAST_TOKEN}", "publish": true } ] } }`;
  const file = await write(dir, "a.json", text);
  const { config } = await load({ file, env: { HOLDFAST_TOKEN: "t0ken" } });
  assertEquals(config.auth.tokens.map(({ name, publish }) => [name, publish]), [["a", true]]);
});

Deno.test("loadConfig() sets the secret of a file's token named env", async () => {
  await using dir = await directory();
  const text = `{ "auth": { "tokens": [
    { "name": "env", "token": "old", "channels": ["a"] }, { "name": "b", "token": "bee" } ] } }`;
  const file = await write(dir, "a.json", text);
  const { config } = await load({ file, env: { HOLDFAST_TOKEN: "new" } });
  assertEquals(config.auth.tokens, [
    { name: "env", token: "new", channels: ["a"], publish: false, metrics: false },
    { name: "b", token: "bee", channels: ["*"], publish: false, metrics: false },
  ]);
});

Deno.test("loadConfig() says why a file cannot be read", async () => {
  await using dir = await directory();
  const cases: readonly (readonly [string, string])[] = [
    [join(dir.path, "none.json"), "found no such file; expected a file that can be read"],
    [join(dir.path, "hub.toml"), "found a file name with another ending; expected .json, .jsonc,"],
    [join(dir.path, "hub"), "found a file name with another ending"],
    [await write(dir, "empty.json", ""), "found an empty file; expected an object of settings"],
    [await write(dir, "bom.yaml", "\ufeff"), "found an empty file"],
    [await write(dir, "utf16.json", new Uint8Array([0xff, 0xfe, 0x7b, 0])), "found bytes that are"],
    [
      await write(dir, "large.json", `{}${" ".repeat(MAX_FILE_BYTES)}`),
      `found more than ${MAX_FILE_BYTES} bytes; expected at most ${MAX_FILE_BYTES}`,
    ],
    [join(await write(dir, "file.json", "{}"), "under.json"), "found no such file"],
  ];
  for (const [file, start] of cases) {
    const [line = "", ...more] = await problems({ file, env: {} });
    assertEquals(more, []);
    assertEquals(line.slice(0, file.length + 2 + start.length), `${file}: ${start}`);
  }
});

Deno.test("loadConfig() takes no directory and no device for a file", async () => {
  await using dir = await directory();
  const folder = join(dir.path, "folder.json");
  await Deno.mkdir(folder);
  const device = join(dir.path, "device.json");
  await Deno.symlink("/dev/zero", device);
  assertEquals(await problems({ file: folder, env: {} }), [
    `${folder}: found a directory; expected a file`,
  ]);
  assertEquals(await problems({ file: device, env: {} }), [
    `${device}: found a device or a pipe; expected a regular file`,
  ]);
});

Deno.test({
  name: "loadConfig() says when the permission to read is missing",
  permissions: { read: false },
  fn: async () => {
    assertEquals(await problems({ file: "hub.json", env: {} }), [
      "hub.json: found a file that this process was not allowed to read (--allow-read); " +
      "expected a file that can be read",
    ]);
  },
});

Deno.test("loadConfig() takes relative paths as relative to the file", async () => {
  await using dir = await directory();
  const text = `{
    "tls": { "cert": "tls/hub.pem", "key": "/etc/hub.key" },
    "backends": { "g": { "transport": "grpc", "url": "https://x", "proto": "../g.proto",
      "tls": { "ca": "ca.pem" } } },
    "cluster": { "nats": "tls://a", "ca": "nats/ca.pem" } }`;
  const { config } = await load({ file: await write(dir, "a.json", text), env: {} });
  assertEquals(config.tls, { cert: join(dir.path, "tls/hub.pem"), key: "/etc/hub.key" });
  const g = config.backends["g"];
  assert(g?.transport === "grpc");
  assertEquals(g.proto, join(dir.path, "../g.proto"));
  assertEquals(g.tls, { ca: join(dir.path, "ca.pem") });
  assertEquals(config.cluster?.ca, join(dir.path, "nats/ca.pem"));
});

Deno.test("loadConfigFile() looks at the file alone", async () => {
  await using dir = await directory();
  const file = await write(dir, "a.json", `{ "listen": "\${HOLDFAST_LISTEN}:7" }`);
  const env = { HOLDFAST_LISTEN: "localhost", HOLDFAST_TOKEN: "t0ken" };
  const loaded = await loadConfigFile(file, { env });
  assert(loaded.ok);
  assertEquals(loaded.config.listen, { hostname: "localhost", port: 7 });
  assertEquals(loaded.config.auth.tokens, []);
});

Deno.test("loadConfig() takes the number of workers from flag, variable or file, and says what it may be", async () => {
  await using dir = await directory();
  const file = await write(dir, "hub.json", `{ "workers": 3 }`);
  const workersOf = async (options: LoadOptions) => (await load(options)).config.workers;
  const env = { HOLDFAST_WORKERS: "64" };
  assertEquals(await workersOf({ file, env, flags: { workers: "auto" } }), "auto");
  assertEquals(await workersOf({ file, env }), 64);
  assertEquals(await workersOf({ file, env: {} }), 3);
  assertEquals(await workersOf({ env: {} }), 1);
  for (const workers of ["0", "65", "2.5", "-1", "two", "1e1"]) {
    const loaded = await loadConfig({ env: {}, flags: { workers } });
    assertEquals(loaded.ok ? [] : loaded.problems.map(describeProblem), [
      `--workers: found ${
        JSON.stringify(workers)
      }; expected a number of threads from 1 to 64, or "auto"`,
    ]);
  }
  for (const workers of ["0", "65", "2.5", `"x"`]) {
    const bad = await write(dir, "bad.json", `{ "workers": ${workers} }`);
    assertEquals(await problems({ file: bad, env: {} }), [
      `${bad}:1:14: workers: found ${workers}; expected a number of threads from 1 to 64, or "auto"`,
    ]);
  }
});

Deno.test("loadConfig() takes the state's folder from flag, variable, file or systemd, in this order", async () => {
  await using dir = await directory();
  const file = await write(dir, "hub.json", `{ "state": { "dir": "beside-the-file" } }`);
  const systemd = { STATE_DIRECTORY: "/var/lib/holdfast:/var/lib/other" };
  const dirOf = async (options: LoadOptions) => (await load(options)).config.state.dir;
  const variable = { ...systemd, HOLDFAST_STATE: "/srv/variable" };
  assertEquals(await dirOf({ file, env: variable, flags: { state: "/srv/flag" } }), "/srv/flag");
  assertEquals(await dirOf({ file, env: variable }), "/srv/variable");
  assertEquals(await dirOf({ file, env: systemd }), join(dir.path, "beside-the-file"));
  assertEquals(await dirOf({ env: systemd }), "/var/lib/holdfast");
  assertEquals(await dirOf({ env: {} }), undefined);
  assertEquals(await dirOf({ env: {}, flags: { state: "here" } }), join(Deno.cwd(), "here"));
});
