import { assertEquals, assertThrows } from "../../../support/assert.ts";
import {
  encodeMessage,
  MAX_HEAD_BYTES,
  MessageReader,
  type Report,
} from "../../../../src/rpc/grpc/process/message.ts";

const MESSAGES: readonly (readonly [Report, Uint8Array])[] = [
  [{ kind: "pong", rssBytes: 7 }, new Uint8Array()],
  [{ kind: "answer", id: 1 }, new Uint8Array(300).fill(9)],
  [{ kind: "failed", id: 2, failure: { kind: "rejected", reason: "né" } }, new Uint8Array()],
];

Deno.test("MessageReader.feed() puts messages together however they are cut", () => {
  const bytes = new Uint8Array(MESSAGES.flatMap(([head, body]) => [...encodeMessage(head, body)]));
  for (const step of [1, 2, 3, 7, 50, bytes.length]) {
    const reader = new MessageReader<Report>(1000);
    const got: [Report, Uint8Array][] = [];
    for (let at = 0; at < bytes.length; at += step) {
      for (const { head, body } of reader.feed(bytes.subarray(at, at + step))) {
        got.push([head, body]);
      }
    }
    assertEquals(got, MESSAGES.map((each) => [...each]));
  }
});

Deno.test("MessageReader.feed() takes no room for what is longer than allowed", () => {
  const reader = () => new MessageReader<Report>(1000);
  const lengths = (head: number, body: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, head);
    new DataView(bytes.buffer).setUint32(4, body);
    return bytes;
  };
  assertThrows(() => [...reader().feed(lengths(2, 1001))], RangeError, "a body of 1001 bytes");
  assertThrows(() => [...reader().feed(lengths(MAX_HEAD_BYTES + 1, 0))], RangeError, "a head of");
  assertThrows(() => [...reader().feed(lengths(0, 0))], RangeError, "a head of 0 bytes");
  assertThrows(() => [...reader().feed(new TextEncoder().encode("no such thing"))], RangeError);
});
