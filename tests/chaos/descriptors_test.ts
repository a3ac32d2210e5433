import { assert, assertEquals } from "../support/assert.ts";
import { HubProcess } from "../support/hub_process.ts";
import { say } from "../support/seed.ts";
import { WsClient } from "../support/ws_client.ts";

/** How often the descriptors are exhausted; more of them on demand. */
const ROUNDS = Number(Deno.env.get("HOLDFAST_TEST_EXHAUSTIONS") ?? 3);
/** Descriptors the hub may have. */
const LIMIT = 100;
/** What the hub promises, in milliseconds, from when there are descriptors again. */
const ANSWERS_WITHIN_MS = 5000;

/** Connects until it is refused or there are far more than the hub can have. */
async function connectAll(url: string): Promise<Deno.TcpConn[]> {
  const { hostname, port } = new URL(url);
  const all: Deno.TcpConn[] = [];
  try {
    while (all.length < 2 * LIMIT) all.push(await Deno.connect({ hostname, port: Number(port) }));
  } catch {
    // Refused: it does not listen any more.
  }
  return all;
}

/** A WebSocket handshake on each, which is answered or not. */
async function knockOnAll(connections: readonly Deno.TcpConn[], url: string): Promise<void> {
  const { host } = new URL(url);
  const request = `GET /ws HTTP/1.1\r\nhost: ${host}\r\nupgrade: websocket\r\n` +
    "connection: Upgrade\r\nsec-websocket-version: 13\r\n" +
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  const bytes = new TextEncoder().encode(request);
  for (const connection of connections) await connection.write(bytes).catch(() => {});
}

/** Milliseconds until a new connection is answered. */
async function answersAfter(url: string): Promise<number> {
  const startedAt = performance.now();
  const { hostname, port, host } = new URL(url);
  for (;;) {
    try {
      using connection = await Deno.connect({ hostname, port: Number(port) });
      const request = `GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(request));
      const answer = new Uint8Array(64);
      const count = await connection.read(answer) ?? 0;
      if (new TextDecoder().decode(answer.subarray(0, count)).includes(" 200 ")) break;
    } catch {
      // Not yet.
    }
    if (performance.now() - startedAt > 4 * ANSWERS_WITHIN_MS) return Infinity;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return performance.now() - startedAt;
}

Deno.test("C02: a hub that runs out of descriptors answers again once there are some, every time", async () => {
  const limited = ["/bin/sh", "-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh"];
  await using hub = await HubProcess.start({ hub: { heartbeat_every: "200ms" } }, {
    through: limited,
  });
  const few = hub.logs.find(({ event }) => event === "descriptors.few");
  assertEquals(
    [few?.level, few?.max],
    ["warning", LIMIT],
    "max_clients is more than there is room for",
  );
  // One who was there before notices nothing of all this.
  await using witness = await WsClient.connect(hub.ws({ channels: "heartbeat" }));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const connections = await connectAll(hub.url);
    if (round % 2 === 0) await knockOnAll(connections, hub.url);
    await witness.waitForBeats(3);
    for (const connection of connections) connection.close();
    times.push(await answersAfter(hub.url));
  }
  say(
    `descriptors: exhausted ${ROUNDS} times, each time answering again after at most ` +
      `${Math.round(Math.max(...times))} ms; the listening socket was lost ` +
      `${hub.logs.filter(({ event }) => event === "listener.lost").length} times`,
  );
  assert(Math.max(...times) < ANSWERS_WITHIN_MS, times.join(" "));
  assertEquals(witness.end, undefined);
  assertEquals(hub.complaints, []);
  const scrape = await (await fetch(`${hub.url}/metrics`)).text();
  assert(/^holdfast_listener_losses_total \d+$/m.test(scrape));
  assertEquals(await hub.stop(), 0);
});

Deno.test("C02: clients are refused at the door while there still are descriptors for the hub", async () => {
  const limited = ["/bin/sh", "-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh"];
  await using hub = await HubProcess.start({ hub: { heartbeat_every: "200ms" } }, {
    through: limited,
  });
  const clients: WsClient[] = [];
  try {
    let refusal: Response | undefined;
    while (clients.length < LIMIT && refusal === undefined) {
      try {
        clients.push(await WsClient.connect(hub.ws()));
      } catch {
        refusal = await fetch(`${hub.url}/events`);
      }
    }
    assertEquals([refusal?.status, refusal?.headers.get("retry-after")], [503, "5"]);
    await refusal?.body?.cancel();
    const few = hub.logs.find(({ event }) => event === "descriptors.few");
    assertEquals(clients.length, few?.clients_possible);
    assertEquals(hub.logs.filter(({ event }) => event === "listener.lost"), []);
    await clients[0]?.waitForBeats(3);
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
});
