import { assertEquals } from "../support/assert.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { TcpPeer } from "../support/tcp_peer.ts";
import { frameBytes, OPCODE } from "../support/ws_frame.ts";
import { CASES, type Outcome } from "./cases.ts";
import { caseTable, documentedTable } from "./table.ts";

Deno.test("a hub does with every case of RFC 6455 what the documents say", async (t) => {
  await using app = await startApp({ sources: [], hub: { messages_per_second: 1000 } });
  for (const each of CASES) {
    await t.step(`${each.section} ${each.name}`, async () => {
      using peer = await TcpPeer.openWebSocket(`${wsUrl(app)}?channels=notification`);
      await peer.send(each.bytes);
      const { answers, close } = each;
      assertEquals(await outcomeOf(peer, each), { answers, close });
    });
  }
});

Deno.test("docs/conformance.md has the cases that are tested", async () => {
  assertEquals(
    await documentedTable(),
    caseTable(),
    "run `deno run -RW tests/conformance/table.ts`",
  );
});

/** Waits for what is expected, or for a sign that something else has come, and tells what came. */
async function outcomeOf(peer: TcpPeer, expected: Outcome): Promise<Outcome> {
  if (expected.close === undefined) {
    // What answers this proves that the connection lives, and comes after all that was due.
    const id = "the last word";
    const payload = JSON.stringify({ type: "ping", id });
    await peer.send(frameBytes({ opcode: OPCODE.text, payload }));
    await peer.waitFor(
      () => peer.end !== undefined || peer.messages.some(({ data }) => data.id === id),
      "answer to a last ping",
    );
    return { answers: answersOf(peer).slice(0, -1), close: closeOf(peer) };
  }
  if (expected.close === "none") await peer.waitForEnd();
  else await peer.waitFor(() => peer.closeCode !== undefined, "close frame");
  return { answers: answersOf(peer), close: closeOf(peer) };
}

function closeOf({ closeCode, end }: TcpPeer): number | "none" | undefined {
  return closeCode ?? (end === undefined ? undefined : "none");
}

/** What came after the welcome; a close frame apart. */
function answersOf({ frames }: TcpPeer): string[] {
  return frames.slice(1).filter(({ opcode }) => opcode !== OPCODE.close)
    .map(({ opcode, payload }) => {
      if (opcode === OPCODE.pong) return "[pong]";
      const { type, data } = JSON.parse(new TextDecoder().decode(payload));
      return data.code ?? type;
    });
}
