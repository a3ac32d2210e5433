import { MAX_JSON_DEPTH } from "../../src/protocol/json_scanner.ts";
import { httpAnswer, rawServer, readRequest, replying, write } from "../rpc/raw_server.ts";
import { assert, assertEquals, assertLess, assertStringIncludes } from "../support/assert.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";

/** What no double holds, and what JSON.stringify would write otherwise. */
const VALUE =
  `{"z":1764000000123456789,"a":[9007199254740993,-0,1e999,1.50],"lone":"\\ud800","k":1,"k":2}`;

const backendOf = (url: string, transport: string, changes: object = {}) => ({
  transport,
  url,
  timeout: "5s",
  retry: { attempts: 1 },
  ...changes,
});

/** The first text frame of this type, as it came; `onWelcome` is called once frames can come. */
async function firstFrame(url: string, type: string, onWelcome = () => {}): Promise<string> {
  const socket = new WebSocket(url);
  try {
    return await new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => {
        if (data.startsWith(`{"type":"welcome"`)) onWelcome();
        if (data.startsWith(`{"type":"${type}"`)) resolve(data);
      };
      socket.onerror = () => reject(new Error("no connection"));
    });
  } finally {
    socket.close();
    await new Promise((resolve) => socket.onclose = resolve);
  }
}

Deno.test("C18: a number reaches clients as the backend wrote it, by both JSON transports", async () => {
  const spread = VALUE.replaceAll(`,"`, `,\r\n\t "`);
  await using plain = replying(httpAnswer("200 OK", spread));
  await using rpc = rawServer(async (conn) => {
    const request = await readRequest(conn);
    const id = /"id":(\d+)/.exec(request ?? "")?.[1];
    await write(conn, httpAnswer("200 OK", `{"jsonrpc":"2.0","id":${id},"result":${spread}}`));
  });
  await using app = await startApp({
    backends: { a: backendOf(plain.url, "http-json"), b: backendOf(rpc.url, "json-rpc") },
    sources: [
      { channel: "plain", backend: "a", method: "x" },
      { channel: "rpc", backend: "b", method: "x" },
    ],
  });
  for (const channel of ["plain", "rpc"]) {
    const frame = await firstFrame(`${wsUrl(app)}?channels=${channel}`, channel);
    assertStringIncludes(frame, `"data":${VALUE},"is_stale":false`);
    const snapshot = await (await fetch(`${app.url}/snapshot/${channel}`)).text();
    assertStringIncludes(snapshot, VALUE);
  }
});

Deno.test("C18: a number reaches clients as its publisher wrote it", async () => {
  const token = "publisher-secret-0123456789";
  await using app = await startApp({
    auth: { tokens: [{ name: "p", token, publish: true }] },
  });
  for (const channel of ["agent_status", "notification"]) {
    const { promise: welcomed, resolve } = Promise.withResolvers<void>();
    const url = `${wsUrl(app)}?token=${token}&channels=${channel}`;
    const frame = firstFrame(url, channel, resolve);
    await welcomed;
    const response = await fetch(`${app.url}/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: `{ "channel": "${channel}", "data": ${VALUE.replaceAll(",", " , ")} }`,
    });
    assertEquals([response.status, "seq" in await response.json()], [202, true]);
    assertStringIncludes(await frame, `"data":${VALUE}`);
  }
});

Deno.test("C53: an answer nested too deep is a failed poll, and holds nobody up", async () => {
  const depth = 4_000_000;
  await using backend = replying(
    httpAnswer("200 OK", "[".repeat(depth) + "]".repeat(depth)),
  );
  let longest = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 10);
  try {
    await using app = await startApp({
      backends: { a: backendOf(backend.url, "http-json", { max_response_bytes: 2 * depth }) },
      sources: [{ channel: "deep", backend: "a", method: "x", every: "1h", stale_after: "3h" }],
    });
    const tried = async () => (await (await fetch(`${app.url}/status`)).json()).sources.deep;
    while ((await tried()).last_error === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertStringIncludes((await tried()).last_error, `nested more than ${MAX_JSON_DEPTH} deep`);
  } finally {
    clearInterval(watch);
  }
  assertLess(longest, 1500);
});

Deno.test("C53: /publish takes no value that is nested too deep", async () => {
  const token = "publisher-secret-0123456789";
  await using app = await startApp({
    auth: { tokens: [{ name: "p", token, publish: true }] },
  });
  const response = await fetch(`${app.url}/publish`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: `{"channel":"agent_status","data":${"[".repeat(2000)}${"]".repeat(2000)}}`,
  });
  assertEquals(response.status, 400);
  assert((await response.json()).message.includes("nested more than"));
});

Deno.test("C11: 60 MB of numbers that grow when they are written anew go out as they came", async () => {
  const value = `[${"1e20,".repeat(12_000_000)}1]`;
  await using backend = replying(httpAnswer("200 OK", value));
  await using app = await startApp({
    backends: {
      a: backendOf(backend.url, "http-json", { max_response_bytes: 300_000_000, timeout: "60s" }),
    },
    sources: [{ channel: "big", backend: "a", method: "x", every: "1h", stale_after: "3h" }],
  });
  let snapshot: Response;
  for (;;) {
    snapshot = await fetch(`${app.url}/snapshot/big`);
    if (snapshot.status === 200) break;
    await snapshot.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const text = await snapshot.text();
  assertEquals(text.length > value.length && text.includes(`"data":[1e20,1e20,`), true);
});

Deno.test("C18: a number that is selected reaches clients as the backend wrote it", async () => {
  await using backend = replying(
    httpAnswer("200 OK", `{"jobs":[{"id":1764000000123456789}],"disks":[9007199254740993]}`),
  );
  await using app = await startApp({
    backends: { a: backendOf(backend.url, "http-json") },
    sources: [{
      backend: "a",
      method: "x",
      channels: { job_status: "jobs[].id", disk_status: "disks", none: "nothing" },
    }],
  });
  const frame = await firstFrame(`${wsUrl(app)}?channels=job_status`, "job_status");
  assertStringIncludes(frame, `"data":[1764000000123456789],"is_stale":false`);
  const disks = await (await fetch(`${app.url}/snapshot/disk_status`)).text();
  assertStringIncludes(disks, `"data":[9007199254740993]`);
  const { sources } = await (await fetch(`${app.url}/status`)).json();
  assertEquals([sources.disk_status.last_error, sources.job_status.is_stale], [null, false]);
  assertStringIncludes(sources.none.last_error, "nothing at nothing");
  const ready = await fetch(`${app.url}/readyz`);
  assertEquals(ready.status, 200, await ready.text());
});
