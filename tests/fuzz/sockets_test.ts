import fc from "fast-check";
import { CHANNELS_OF_A_HUB } from "./hub_channels.ts";
import { MAX_BAD_MESSAGES } from "../../src/hub/inbound_limits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { say } from "../support/seed.ts";
import { TcpPeer } from "../support/tcp_peer.ts";
import { frameBytes, joined, OPCODE } from "../support/ws_frame.ts";
import { casesOf, messageText } from "./cases.ts";
import { FuzzedHub, MAX_BYTES } from "./fuzzed_hub.ts";
import { inParallel } from "./in_parallel.ts";
import { expect, type Expected, requireNoInsides } from "./oracle.ts";

const MESSAGES_PER_CONVERSATION = 25;

/** A message with where it is to be cut, and whether a ping comes between the pieces. */
const sending = fc.record({
  text: messageText.map((text) => text.toWellFormed()), // UTF-8 has no lone surrogates
  cuts: fc.array(fc.nat(), { maxLength: 3 }),
  ping: fc.boolean(),
});

const conversation = fc.record({
  sent: fc.array(sending, {
    minLength: MESSAGES_PER_CONVERSATION,
    maxLength: MESSAGES_PER_CONVERSATION,
  }),
  batch: fc.boolean(),
});

const LAST = "the last word";

Deno.test("a hub answers generated messages over sockets, whole and in fragments", async () => {
  await using fuzzed = await FuzzedHub.start();
  const conversations = casesOf(16_000) / MESSAGES_PER_CONVERSATION;
  let answers = 0;
  await inParallel({
    suite: "fuzz of messages over sockets",
    cases: conversations,
    arbitrary: conversation,
    run: async ({ sent, batch }) => {
      const query = { channels: "notification", ...(batch ? { batch: "1" } : {}) };
      using peer = await TcpPeer.openWebSocket(fuzzed.ws(query));
      const { expected, closeCode } = foresee(sent.map(({ text }) => text));
      const last = frameBytes({ opcode: OPCODE.text, payload: `{"type":"ping","id":"${LAST}"}` });
      await peer.send(joined(...sent.map(framesOf), last));
      await peer.waitFor(
        () => peer.closeCode !== undefined || peer.messages.some(({ data }) => data.id === LAST),
        "end of the conversation",
      );
      assertEquals(peer.closeCode, closeCode);
      assertEquals(heardBy(peer), closeCode === undefined ? [...expected, "pong"] : expected);
      for (const { payload } of peer.frames) {
        requireNoInsides(new TextDecoder().decode(payload), "");
      }
      answers += peer.messages.length;
      await peer.send(frameBytes({ opcode: OPCODE.close }));
      await peer.waitForEnd();
    },
  });
  await fuzzed.checkAfterwards();
  assertEquals(fuzzed.witness.codes, [], "one client's error is no other's business");
  say(
    `fuzz: ${conversations * MESSAGES_PER_CONVERSATION} messages over sockets, ${answers} answers`,
  );
});

/** Bytes that begin like frames do and go on as they like. */
const garbage = fc.tuple(
  fc.constantFrom(0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xc1, 0x83, 0xff),
  fc.constantFrom(0x00, 0x05, 0x7d, 0x7e, 0x7f, 0x80, 0x85, 0xfd, 0xfe, 0xff),
  fc.uint8Array({ minLength: 4, maxLength: 300 }),
).map(([first, second, rest]) => joined(new Uint8Array([first, second]), rest));

Deno.test("a hub stands bytes that are no frames", async () => {
  await using fuzzed = await FuzzedHub.start();
  const codes = new Set<string>();
  await inParallel({
    suite: "fuzz of frames",
    cases: casesOf(4000),
    arbitrary: fc.array(garbage, { minLength: 1, maxLength: 4 }),
    run: async (pieces) => {
      using peer = await TcpPeer.openWebSocket(fuzzed.ws({ channels: "notification" }));
      await peer.send(joined(...pieces));
      await peer.finish(); // a message that was announced will not come any more
      await peer.waitForEnd();
      for (const code of peer.codes) codes.add(code);
      for (const { payload } of peer.frames) {
        requireNoInsides(new TextDecoder().decode(payload), "");
      }
    },
  });
  await fuzzed.checkAfterwards();
  assert([...codes].every((code) => code === "BAD_MESSAGE"), [...codes].join());
  // They did vanish, and that is all the others hear.
  assertEquals([...new Set(fuzzed.witness.codes)], ["CLIENT_DISCONNECTED"]);
});

/** What a hub answers to these, as error codes and types, and the code it closes with, if it does. */
function foresee(texts: readonly string[]): { expected: string[]; closeCode: number | undefined } {
  const subscribed = new Set(["notification"]);
  const rules = { maxBytes: MAX_BYTES, known: CHANNELS_OF_A_HUB, mayRead: () => true, subscribed };
  const expected: string[] = [];
  let bad = 0;
  for (const text of texts) {
    const verdict = expect(text, rules);
    if (verdict.kind === "too_big") return { expected, closeCode: 1009 };
    expected.push(...namesOf(verdict));
    if (verdict.kind === "bad") bad += 1;
    if (bad === MAX_BAD_MESSAGES) return { expected, closeCode: 1008 };
  }
  return { expected, closeCode: undefined };
}

function namesOf(expected: Expected): string[] {
  switch (expected.kind) {
    case "too_big":
      return [];
    case "bad":
      return ["BAD_MESSAGE"];
    case "pong":
      return ["pong"];
    case "subscribed":
      return [...Array<string>(expected.refusals).fill("UNKNOWN_CHANNEL"), "subscribed"];
  }
}

function heardBy(peer: TcpPeer): string[] {
  return peer.messages.map(({ type, data }) => String(data.code ?? type))
    .filter((name) => name !== "welcome" && name !== "heartbeat");
}

/** A text message as one frame or several, cut wherever bytes can be cut. */
function framesOf({ text, cuts, ping }: { text: string; cuts: number[]; ping: boolean }) {
  const bytes = new TextEncoder().encode(text);
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  const ends = [...places, bytes.length];
  let at = 0;
  return joined(...ends.flatMap((end, nth) => {
    const payload = bytes.subarray(at, end);
    at = end;
    const fin = nth === ends.length - 1;
    const opcode = nth === 0 ? OPCODE.text : OPCODE.continuation;
    const frame = frameBytes({ opcode, payload, fin });
    return ping && !fin ? [frame, frameBytes({ opcode: OPCODE.ping, payload: "?" })] : [frame];
  }));
}
