import { assert, assertEquals, assertLess } from "../support/assert.ts";
import { HubProcess } from "../support/hub_process.ts";
import { childListeningOn, residentBytes } from "../support/process_facts.ts";
import { say } from "../support/seed.ts";
import { TcpPeer } from "../support/tcp_peer.ts";
import { WsClient } from "../support/ws_client.ts";
import { frameBytes, OPCODE } from "../support/ws_frame.ts";

const CLIENTS = 20;
const MEBIBYTE = 1024 * 1024;
const BYTES_EACH = 60 * MEBIBYTE;

/** What 20 such clients may cost the hub; 60 MiB from each would be 1.2 GiB. */
const MAX_GROWTH_BYTES = 100 * MEBIBYTE;

const LOOK_EVERY_MS = 10;

for (const pieceBytes of [4096, MEBIBYTE]) {
  Deno.test(`clients that send fragments of ${pieceBytes} bytes without an end are cut off`, async () => {
    await using hub = await HubProcess.start({ sources: [], hub: { heartbeat_every: "200ms" } });
    const pid = childListeningOn(Number(new URL(hub.url).port));
    await using witness = await WsClient.connect(hub.ws());
    await witness.waitForBeats(1);
    const before = residentBytes(pid);
    let most = before;
    const looking = setInterval(() => most = Math.max(most, residentBytes(pid)), LOOK_EVERY_MS);

    const sent = await Promise.all(
      Array.from({ length: CLIENTS }, () => sendWithoutEnd(hub, pieceBytes)),
    ).finally(() => clearInterval(looking));

    const growth = most - before;
    const mostSent = Math.max(...sent);
    say(
      `endless fragments of ${pieceBytes}: the hub grew by ${mebibytes(growth)} MiB at most, ` +
        `no client got rid of more than ${mebibytes(mostSent)} MiB`,
    );
    assertLess(growth, MAX_GROWTH_BYTES);
    assertLess(mostSent, BYTES_EACH);
    await witness.waitForBeats(2);
    assertEquals(witness.end, undefined);
    assertEquals(witness.codes, [], "it is the hub that ended them, for a reason of theirs");
    assertEquals(hub.complaints, []);
    assert(hub.logs.some(({ event }) => event === "client.endless_message"));
  });
}

/** Sends until it is cut off; how many bytes the hub's side took. */
async function sendWithoutEnd(hub: HubProcess, pieceBytes: number): Promise<number> {
  using peer = await TcpPeer.openWebSocket(hub.ws({ channels: "notification" }));
  const payload = new Uint8Array(pieceBytes).fill(0x61);
  await peer.send(frameBytes({ opcode: OPCODE.text, payload, fin: false }));
  const more = frameBytes({ opcode: OPCODE.continuation, payload, fin: false });
  let sent = payload.length;
  while (sent < BYTES_EACH && await peer.send(more)) sent += payload.length;
  await peer.waitForEnd();
  return sent;
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1);
}

/** Longer than it takes to look at every connection, whatever memory does: see `fragment_guard.ts`. */
const ALL_LOOKED_AT_MS = 12_000;

Deno.test("messages of characters that take several bytes each count for what they are", async () => {
  await using hub = await HubProcess.start({
    sources: [],
    hub: { heartbeat_every: "200ms", messages_per_second: 1000 },
  });
  await using client = await WsClient.connect(hub.ws());
  // 60 KB each, a third as many characters: twenty of them are over any allowance if those are counted.
  const padding = "\u20ac".repeat(20_000);
  for (let id = 0; id < 20; id++) client.send({ type: "ping", id, padding });
  await client.waitFor(({ type, data }) => type === "pong" && data.id === 19);
  await new Promise((resolve) => setTimeout(resolve, ALL_LOOKED_AT_MS));
  const from = client.frames.length;
  client.send({ type: "ping", id: "still there" });
  await client.waitFor(({ type, data }) => type === "pong" && data.id === "still there", { from });
});
