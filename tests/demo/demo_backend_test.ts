import { parseDuration } from "../../src/config/duration.ts";
import { value } from "../../src/demo/answer.ts";
import { DemoBackend } from "../../src/demo/demo_backend.ts";
import { FAULT_MODES } from "../../src/demo/faults.ts";
import { systemClock } from "../../src/resilience/clock.ts";
import { type Outcome, valueOutcome } from "../../src/rpc/backend.ts";
import { createJsonRpcBackend } from "../../src/rpc/http/json_rpc.ts";
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertMatch,
} from "../support/assert.ts";
import { bytesOf, eventually, gunzip, TestFolder } from "./support.ts";

interface Jobs {
  readonly done: number;
  readonly failed: number;
  readonly jobs: readonly {
    readonly file: string;
    readonly state: string;
    readonly progress_ratio: number;
    readonly read_bytes: number;
    readonly reason?: string;
  }[];
}

/** A backend with its folder, and the hub's own client of it. */
async function setUp(options: { hasFaults?: boolean; maxBytesPerSecond?: number } = {}) {
  const { hasFaults = true, maxBytesPerSecond } = options;
  const folder = await TestFolder.make();
  const backend = await DemoBackend.start({
    clock: systemClock,
    listen: { hostname: "127.0.0.1", port: 0 },
    compression: {
      directory: folder.path,
      agents: 2,
      lookEveryMs: 20,
      settleMs: 40,
      ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
    },
    host: {
      systemStatus: () => Promise.resolve(value({ hostname: "here" })),
      storage: () => Promise.resolve(value({ filesystems: [] })),
    },
    hasFaults,
    parseDuration,
  });
  const client = createJsonRpcBackend({ url: `${backend.url}/rpc`, maxResponseBytes: 1_000_000 });
  const call = (method: string, params: object = {}, ms = 10_000): Promise<Outcome> =>
    client.call({ method, params }, { signal: AbortSignal.timeout(ms) });
  return {
    folder,
    backend,
    call,
    async jobs(): Promise<Jobs> {
      const outcome = await call("GetCompressionJobs");
      assert(outcome.kind === "ok", JSON.stringify(outcome));
      return JSON.parse(outcome.value) as Jobs;
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

Deno.test("DemoBackend compresses what is put into its folder, and tells of it", async () => {
  await using test = await setUp();
  const { folder, jobs, call } = test;
  const contents = new Map(
    ["one.txt", "zwei drei ü.bin", "<b>.html"].map((name) => [name, bytesOf(200_000)]),
  );
  for (const [name, content] of contents) await Deno.writeFile(folder.at(name), content);
  const seen = await eventually(async () => {
    const seen = await jobs();
    return seen.done === 3 ? seen : undefined;
  });
  assertEquals(seen.failed, 0);
  for (const [name, content] of contents) {
    assertEquals(await gunzip(folder.at("done", `${name}.gz`)), new Uint8Array(content));
  }
  assertEquals(await folder.names(), ["done"]);
  const outcome = await call("GetAgents");
  assert(outcome.kind === "ok");
  const { agents } = JSON.parse(outcome.value) as {
    agents: { jobs_done: number; bytes_read: number }[];
  };
  assertEquals(agents.length, 2);
  assertEquals(agents.reduce((sum, each) => sum + each.jobs_done, 0), 3);
  assertEquals(agents.reduce((sum, each) => sum + each.bytes_read, 0), 600_000);
});

Deno.test("DemoBackend shows a job's progress, and rolls it back when stopped", async () => {
  await using test = await setUp({ maxBytesPerSecond: 300_000 });
  const content = bytesOf(3_000_000);
  await Deno.writeFile(test.folder.at("big"), content);
  const ratios = new Set<number>();
  await eventually(async () => {
    const [job] = (await test.jobs()).jobs;
    if (job?.state === "compressing") ratios.add(job.progress_ratio);
    return ratios.size >= 3 ? true : undefined;
  });
  const outcome = await test.call("GetAgents");
  assert(outcome.kind === "ok");
  const [agent] = (JSON.parse(outcome.value) as { agents: Record<string, unknown>[] }).agents;
  assertEquals(agent?.state, "working");
  assertGreater(Number(agent?.bytes_per_second), 0);
  await test.backend[Symbol.asyncDispose]();
  assertEquals(await test.folder.names("done"), []);
  assertEquals(await Deno.readFile(test.folder.at("big")), content);
});

Deno.test("DemoBackend does not try a blocked file again until the way is free", async () => {
  await using test = await setUp();
  const { folder, jobs } = test;
  await Deno.writeTextFile(folder.at("done", "a.txt.gz"), "precious");
  await Deno.writeTextFile(folder.at("a.txt"), "hello");
  const failed = await eventually(async () => {
    const seen = await jobs();
    return seen.failed > 0 ? seen : undefined;
  });
  assertMatch(failed.jobs[0]?.reason ?? "", /a\.txt\.gz exists already/);
  await Deno.writeTextFile(folder.at("b.txt"), "later"); // when this is done, others were looked at
  await eventually(async () => (await jobs()).done === 1 || undefined);
  assertEquals((await jobs()).failed, 1);
  await Deno.remove(folder.at("done", "a.txt.gz"));
  await eventually(async () => (await jobs()).done === 2 || undefined);
  assertEquals(new TextDecoder().decode(await gunzip(folder.at("done", "a.txt.gz"))), "hello");
});

const EXPECTED: Record<string, (outcome: Outcome) => void> = {
  garbage: (outcome) => assertEquals(outcome.kind, "unavailable"),
  error: (outcome) => {
    assertEquals(outcome, { kind: "rejected", reason: "JSON-RPC error -32000: fault: error" });
  },
  "500": (outcome) => {
    assert(outcome.kind === "unavailable");
    assertMatch(outcome.reason, /^HTTP 500/);
  },
};

for (const mode of ["garbage", "error", "500"]) {
  Deno.test(`SetFault ${mode} spoils the calls of one method, then of none`, async () => {
    await using test = await setUp();
    const { call } = test;
    const on = await call("SetFault", { mode, method: "GetAgents" });
    assertEquals(on, valueOutcome({ faults: [{ mode, method: "GetAgents" }] }));
    EXPECTED[mode]?.(await call("GetAgents"));
    assertEquals((await call("GetStorage")).kind, "ok");
    assertEquals((await call("SetFault", { mode: "none" })).kind, "ok");
    assertEquals((await call("GetAgents")).kind, "ok");
  });
}

Deno.test("SetFault slow delays an answer that is right all the same", async () => {
  await using test = await setUp();
  await test.call("SetFault", { mode: "slow" });
  const begun = performance.now();
  assertEquals((await test.call("GetStorage")).kind, "ok");
  assertGreaterOrEqual(performance.now() - begun, 1490);
});

Deno.test("SetFault hang leaves calls unanswered until it is switched off", async () => {
  await using test = await setUp();
  const { call } = test;
  await call("SetFault", { mode: "hang" });
  let isAnswered = false;
  const hanging = call("GetAgents").finally(() => isAnswered = true);
  assertEquals((await call("GetFault")).kind, "ok", "the way to switch it off stays open");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(isAnswered, false);
  await call("SetFault", { mode: "none" });
  const outcome = await hanging;
  assert(outcome.kind === "unavailable");
  assertMatch(outcome.reason, /503/);
  assertEquals((await call("GetAgents")).kind, "ok");
});

Deno.test("SetFault refuse closes the port for a while, then the same port answers", async () => {
  await using test = await setUp();
  const { call } = test;
  assertEquals((await call("SetFault", { mode: "refuse", for: "1s" })).kind, "ok");
  const refused = await eventually(async () => {
    const outcome = await call("GetAgents");
    return outcome.kind === "unavailable" && /refused/.test(outcome.reason) ? outcome : undefined;
  });
  assertMatch(refused.reason, /refused/);
  await eventually(async () => (await call("GetAgents")).kind === "ok" || undefined);
});

Deno.test("without faults SetFault says how to have them", async () => {
  await using test = await setUp({ hasFaults: false });
  const outcome = await test.call("SetFault", { mode: "hang" });
  assert(outcome.kind === "rejected");
  assertMatch(outcome.reason, /-32000: .*--faults/);
});

Deno.test("DemoBackend refuses other methods, origins, paths and large bodies", async () => {
  await using test = await setUp();
  const { url } = test.backend;
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init);
    return [response.status, await response.text()] as const;
  };
  assertEquals((await ask("/rpc"))[0], 405);
  assertEquals((await ask("/nowhere"))[0], 404);
  const body = `{"jsonrpc":"2.0","id":1,"method":"GetAgents"}`;
  const foreign = { origin: "https://evil.example" };
  assertEquals((await ask("/rpc", { method: "POST", body, headers: foreign }))[0], 403);
  assertEquals((await ask("/rpc", { method: "POST", body: body.replace(`"id":1,`, "") }))[0], 204);
  const [status, text] = await ask("/rpc", { method: "POST", body: "x".repeat(70_000) });
  assertEquals([status, JSON.parse(text).error.code], [413, -32600]);
  const params = { method: "POST", body: body.replace("}", `,"params":{"id":1}}`) };
  assertEquals(JSON.parse((await ask("/rpc", params))[1]).error.code, -32602);
});

Deno.test("the backend's page escapes names, allows no script, and its buttons work", async () => {
  await using test = await setUp();
  const { folder, jobs, backend, call } = test;
  await Deno.writeTextFile(folder.at("<script>alert(1)<'&\".txt"), "x");
  await eventually(async () => (await jobs()).done === 1 || undefined);
  const page = await fetch(`${backend.url}/`);
  const html = await page.text();
  assertMatch(html, /&lt;script&gt;alert\(1\)&lt;&#39;&amp;&quot;\.txt/);
  assertEquals(/<script|https?:\/\/(?!127)/.test(html), false);
  const policy = page.headers.get("content-security-policy") ?? "";
  assertMatch(policy, /^default-src 'none'; style-src 'nonce-[\w-]+'; form-action 'self'/);
  for (const mode of FAULT_MODES) assertMatch(html, new RegExp(`name="mode" value="${mode}"`));

  const press = async (fields: Record<string, string>, headers: HeadersInit = {}) => {
    const body = new URLSearchParams(fields);
    const response = await fetch(`${backend.url}/fault`, { method: "POST", body, headers });
    return [response.status, await response.text()] as const;
  };
  const fields = { mode: "500", method: "GetAgents", for: "" };
  assertMatch((await press(fields, { origin: backend.url }))[1], /Switched on\./);
  assertEquals((await call("GetAgents")).kind, "unavailable");
  assertMatch((await press({ mode: "none" }))[1], /Switched off\./);
  assertEquals((await call("GetAgents")).kind, "ok");
  assertMatch((await press({ mode: "nonsense" }))[1], /must be one of/);
  assertEquals((await press(fields, { origin: "https://evil.example" }))[0], 403);
  assertEquals((await call("GetAgents")).kind, "ok");
});
